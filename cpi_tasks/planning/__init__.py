"""(configuration, content, tenant inventory) -> Plan. Pure: nothing is read or sent here."""

from cpi_tasks.planning.plan import make_plan

__all__ = ["make_plan"]
