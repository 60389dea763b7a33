"""Watches in, configuration and status out.

kopf ──► inventory ──(dirty)──► reconciler: gathering ─► compilation ─► publishing ─► telling
             └──(every 5 s)──► books: accounts ─► the ledger's reading ─► announcing ─► courier

All of it lives in one event loop of its own thread, since kopf cancels every task of its loop when
it ends (`operation`). Nothing is registered by importing (`registration`).
"""
