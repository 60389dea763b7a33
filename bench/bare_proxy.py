"""`python -m bench.bare_proxy PORT PROVIDER_PORT`: the floor. aiohttp passes bytes on; no more.

What it adds to a stream any proxy adds that is built upon the same server and client.
"""

import asyncio
import sys

import aiohttp
import uvloop
from aiohttp import web


async def serve(port: int, provider_port: int) -> None:
    url = f"http://127.0.0.1:{provider_port}/v1/chat/completions"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def pass_on(request: web.BaseRequest) -> web.StreamResponse:
            async with session.post(url, data=await request.read()) as response:
                answer = web.StreamResponse(headers={"content-type": response.content_type})
                await answer.prepare(request)
                async for data in response.content.iter_any():
                    await answer.write(data)
                await answer.write_eof()
                return answer

        server = await asyncio.get_running_loop().create_server(
            web.Server(pass_on), "127.0.0.1", port
        )
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
