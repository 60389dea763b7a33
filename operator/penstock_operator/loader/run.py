"""`penstock-operator loader`: its parts, put together."""

import logging

from penstock_operator.loader.http import serve
from penstock_operator.loader.loop import Loader
from penstock_operator.loader.ollama import Ollama, new_session
from penstock_operator.loader.settings import LoaderSettings

logger = logging.getLogger("penstock_operator.loader")


async def run_loader(settings: LoaderSettings) -> None:
    """Until it is cancelled; a pull that runs is broken off, and goes on at the next start."""
    async with new_session() as session:
        loader = Loader(settings, Ollama(session, settings.ollama_url))
        served = serve(settings.host, settings.port, loader.progress, loader.is_alive)
        async with served as port:
            logger.info("loader.started", extra={"port": port, "ollama": settings.ollama_url})
            await loader.run()
