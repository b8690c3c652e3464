"""Faults that can be ordered, so that failure handling can be seen and tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class UnknownFault(ValueError):
    """The service has no fault of that name; the message lists those it has."""


@dataclass(frozen=True)
class Fault:
    """One fault to commit now; `args` say how (seconds, value …)."""

    service: str
    name: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Order:
    fault: Fault
    times: int


class Faults:
    """The faults still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._names: dict[str, frozenset[str]] = {}

    def declare(self, service: str, *names: str) -> None:
        """Say which faults a service can commit; any other name is then refused."""
        self._names[service] = self._names.get(service, frozenset()) | set(names)

    def order(self, service: str, name: str, times: int = 1, **args: Any) -> None:
        """Have `service` commit the fault the next `times` times; 0 means until cleared.

        Raises `UnknownFault`.
        """
        names = self._names.get(service)
        if names is not None and name not in names:
            raise UnknownFault(f"{service} has no fault '{name}'; it has {', '.join(sorted(names))}.")
        self._orders.append(_Order(Fault(service, name, args), times))

    def take(self, service: str, name: str, *, when: Callable[[Fault], bool] | None = None) -> Fault | None:
        """The next ordered fault of that name for which `when` holds, used up once."""
        for order in self._of(service, name):
            if when is None or when(order.fault):
                self._use(order)
                return order.fault
        return None

    def peek(self, service: str, name: str) -> Fault | None:
        """The next ordered fault of that name, left in place."""
        return next((order.fault for order in self._of(service, name)), None)

    def _of(self, service: str, name: str) -> list[_Order]:
        return [order for order in self._orders if (order.fault.service, order.fault.name) == (service, name)]

    def _use(self, order: _Order) -> None:
        if order.times == 1:
            self._orders.remove(order)
        elif order.times > 1:
            order.times -= 1

    def clear(self, service: str = "") -> None:
        """Forget what is still ordered, of one service or of all."""
        self._orders = [order for order in self._orders if service and order.fault.service != service]

    def waiting(self) -> list[dict[str, Any]]:
        """What is still ordered, as JSON."""
        return [
            {
                "service": order.fault.service,
                "name": order.fault.name,
                "times": order.times,
                **order.fault.args,
            }
            for order in self._orders
        ]

    def known(self) -> dict[str, list[str]]:
        """The declared names by service."""
        return {service: sorted(names) for service, names in self._names.items()}
