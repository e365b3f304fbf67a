"""The vocabulary of the package: plain frozen values that every room may read, and the ``Tenant`` protocol."""
