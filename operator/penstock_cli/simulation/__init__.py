"""`penstock simulate-gpus`: a fleet of GPUs that answers a trace of requests, in simulated time."""
