"""What runs a managed provider, as Kubernetes takes it. Documents alone: who applies them, decides
when. `objects.objects_of` is the way in."""
