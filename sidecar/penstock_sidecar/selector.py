"""Label selectors as Kubernetes means them (`metav1.LabelSelector`): pure."""

from collections.abc import Mapping

from penstock_config.policy import Requirement, Selector


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """True when every line holds; an empty selector matches everything."""
    equal = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return equal and all(_holds(line, labels) for line in selector.match_expressions)


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":  # a missing key is not in any list
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
