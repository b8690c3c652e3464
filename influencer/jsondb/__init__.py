"""Django models over JSON files: readable, editable by hand, never half-written. See `docs/decisions/`."""

from .batch import batch
from .damage import Damage
from .declared import declare_secret
from .errors import NotSupported, StoreBusy, StoreDamaged, StoreUnwritable
from .fields import KEEP, ObjectField, ParentKey, SecretField, SecretFormField
from .files import damage, restore
from .ids import new_id
from .query import Manager, QuerySet
from .records import Nested, Record
from .rows import Rows
from .secret import MASK, Secret
from .store import Collection, Document, collection

__all__ = [
    "KEEP",
    "MASK",
    "Collection",
    "Damage",
    "Document",
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
    "collection",
    "damage",
    "declare_secret",
    "new_id",
    "restore",
]
