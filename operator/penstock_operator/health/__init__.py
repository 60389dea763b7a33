"""What the operator says of providers' health: whom to probe and how, and what it means. Pure.

in_force -> asking (probes)
         -> judging -> page (statuses and Events)
"""
