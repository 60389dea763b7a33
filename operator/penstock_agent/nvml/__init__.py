"""NVML by pynvml, its errors as ours. The only package that knows pynvml.

calls <- memory <- mig | processes <- gpu <- library
"""
