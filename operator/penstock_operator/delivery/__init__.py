"""How far what is published has come: which pods to touch, what sidecars report. Pure.

pods <- touch | standing <- page
"""
