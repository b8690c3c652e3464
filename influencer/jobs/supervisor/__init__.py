"""What `up` is made of: preparing (`startup`), the processes, and the loop that keeps them running."""
