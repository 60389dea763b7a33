"""Readers and writers of every dialect against what no provider and no caller should ever send.

`make fuzz` looks for ten minutes and writes what it finds to `known/found`, shrunk; the tests here
try those again, and look for seconds.
"""
