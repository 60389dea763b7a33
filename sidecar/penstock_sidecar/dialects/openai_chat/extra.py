"""`extra_content` of messages and tool calls: where Google keeps the signatures of thoughts at its
own endpoint of OpenAI's dialect (https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from penstock_sidecar.dialects.fields import object_of, string_of
from penstock_sidecar.dialects.signatures import google_s, of_google
from penstock_sidecar.model import JsonObject


def extra_content(signature: str | None) -> dict[str, object]:
    """The field, or nothing for a signature that is not Google's."""
    found = google_s(signature)
    return {"extra_content": {"google": {"thought_signature": found}}} if found else {}


def signature_in(holder: JsonObject) -> str | None:
    google = object_of(object_of(holder.get("extra_content")).get("google"))
    found = string_of(google.get("thought_signature"))
    return of_google(found) if found else None
