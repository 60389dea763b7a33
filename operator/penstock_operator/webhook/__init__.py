"""The injector: admission's server, its judges and its certificates. Knows no kopf."""
