"""How far what is published has come: which pods to touch, what sidecars report. Pure.

owner <- pods <- touch | standing <- page
"""
