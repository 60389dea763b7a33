"""The program beside an Ollama in its pod: gets its models, keeps them loaded, says how far it is.

    models.json --> orders --> plan <-- look (tags, ps)
                                |
              transfers (pull, create, delete: one at a time)   loads (one at a time)
                                |
                    /progress  /readyz  /healthz

It talks to this one Ollama alone, and knows nothing of Kubernetes. `loop` turns it all.
"""
