"""Which models go onto which node's GPUs, and why. `plan.plan` decides; `types` says of what."""
