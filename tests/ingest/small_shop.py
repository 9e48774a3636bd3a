"""A small shop in the standard names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Shop = Callable[..., Path]

ITEMS = """id,category,brand,color,price
i1,dresses,aurora,red,40
i2,dresses,aurora,navy,60
i3,shoes,casa,black,90
"""
EVENTS = """time,user,session,kind,item,position,query
2026-07-01T10:00:00Z,u1,s1,impression,i1,1,
2026-07-01T10:00:00Z,u1,s1,impression,i2,2,
2026-07-01T10:00:05Z,u1,s1,view,i2,,
2026-07-01T10:01:00Z,u1,s1,purchase,i2,,
2026-07-02T09:00:00Z,u2,s2,view,i3,,
"""
