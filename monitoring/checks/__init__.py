"""Every line of the status, in the order it is shown."""

from monitoring.checks import accounts, comfyui, gemini, queue, storage
from monitoring.report import Check
from monitoring.watch import Watch

COMFYUI = Check("comfyui", "ComfyUI", comfyui.check)
DATABASE = Check("database", "Database", storage.database)
SCHEDULER = Check("scheduler", "Scheduler", queue.scheduler)
INSTAGRAM = Check("instagram", "Instagram", accounts.instagram)
X = Check("x", "X", accounts.x)
GEMINI = Check("gemini", "Gemini", gemini.check)
WORKERS = Check("workers", "Workers", queue.workers)
DISK = Check("disk", "Disk", storage.disk)

CHECKS = (COMFYUI, DATABASE, SCHEDULER, INSTAGRAM, X, GEMINI, WORKERS, DISK)

OUTSIDE = (INSTAGRAM, X, GEMINI)

# The whole status, and the part nobody outside is asked for, for `/healthz`.
everything = Watch(CHECKS, keep=10)
# What the clock looks at by itself: nobody is asked who counts or charges for it.
nearby = Watch((COMFYUI, DATABASE, DISK, WORKERS), keep=2)
inside = Watch((DATABASE, DISK, SCHEDULER, WORKERS), keep=2)
