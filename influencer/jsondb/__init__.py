"""Django models over JSON files: readable, editable by hand, never half-written. See `docs/decisions/`."""

from .batching import batch
from .checking import Finding, check
from .damaged import Damage
from .declared import declare_secret
from .errors import NotSupported, StoreBusy, StoreDamaged, StoreUnwritable
from .fields import KEEP, ObjectField, ParentKey, SecretField, SecretFormField
from .files import damage, restore
from .ids import new_id
from .manager import Manager
from .query import QuerySet
from .records import Nested, Record
from .remembered import while_unchanged
from .rows import Rows
from .secret import MASK, Secret
from .store import Collection, Document, collection

__all__ = [
    "KEEP",
    "MASK",
    "Collection",
    "Damage",
    "Document",
    "Finding",
    "Manager",
    "Nested",
    "NotSupported",
    "ObjectField",
    "ParentKey",
    "QuerySet",
    "Record",
    "Rows",
    "Secret",
    "SecretField",
    "SecretFormField",
    "StoreBusy",
    "StoreDamaged",
    "StoreUnwritable",
    "batch",
    "check",
    "collection",
    "damage",
    "declare_secret",
    "new_id",
    "restore",
    "while_unchanged",
]
