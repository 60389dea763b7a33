"""End-to-end tests: the images, the chart and real pods in a real cluster (`make e2e`)."""
