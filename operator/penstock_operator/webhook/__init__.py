"""The injector: admission's server, its judges, its certificates. Knows no kopf, no control loop."""
