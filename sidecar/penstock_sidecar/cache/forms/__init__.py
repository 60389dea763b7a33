"""Answers of each API, as they are kept and given again: a stream as its plain answer, and back."""

from penstock_sidecar.cache.forms.form import Assembly, Form, NotUnderstood, Streams
from penstock_sidecar.cache.forms.known import form_of

__all__ = ["Assembly", "Form", "NotUnderstood", "Streams", "form_of"]
