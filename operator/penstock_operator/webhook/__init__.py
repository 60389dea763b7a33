"""The admission webhook's server and its certificates. Knows neither kopf nor the control loop."""
