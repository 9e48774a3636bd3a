"""Words of logs for kinds of events, in several languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kgrank.ingest.columns import KINDS, OTHER_KINDS
from kgrank.ingest.events import SYNONYMS
from kgrank.ingest.returns import RETURNS
from kgrank.profiling.headings import head_key

_WORDS: Mapping[str, str] = {
    "refund": (
        "refund refunded return returned retoure ruckgabe erstattung remboursement retour devolucion "
        "reembolso 退款 退货 chargeback rma"
    ),
    "cancel": (
        "cancel canceled cancelled cancellation storno storniert stornierung annulation cancelacion "
        "取消 取消订单"
    ),
    "remove_from_wishlist": "unfavorite unfavourite unlike 取消收藏",
    "rating": (
        "rating rate rated review reviewed bewertung bewerten avis notation valoracion opinion 评分 评价"
    ),
    "wishlist": (
        "wishlist favorite favourite favorites favourites favs fav like liked merkliste wunschliste "
        "wunschzettel favori favoris favoritos favorito deseos bookmark saved 收藏 心愿单"
    ),
    "cart": (
        "cart addtocart basket bag trolley warenkorb korb einkaufswagen panier carrito cesta carro "
        "carrello winkelwagen atc 加购 加入购物车 购物车 カート"
    ),
    "checkout": "checkout kasse caisse 结算 结账",
    "purchase": (
        "purchase purchased buy bought order ordered orders transaction sale sold conversion kauf "
        "gekauft bestellung bestellt achat commande vente compra comprado pedido venta acquisto "
        "ordine aankoop bestelling payment paid 购买 下单 支付 付款 成交 购入 購入 invoice"
    ),
    "search": (
        "search searched searches query suche gesucht suchen recherche busqueda buscar ricerca zoeken "
        "搜索 查询 検索"
    ),
    "impression": (
        "impression impressions exposure exposed shown display displayed expose einblendung angezeigt "
        "anzeige affichage impresion impresiones mostrado 曝光 展示 展现 表示"
    ),
    "view": (
        "view views viewed click clicked clicks detail details pdp visit klick angesehen ansicht "
        "aufruf detailansicht produktansicht vue consultation clic vu vista visto visualizacion ver "
        "pv 浏览 点击 查看 閲覧 select"
    ),
}
"""By kind, words that mean it; of several words in one name, the kind that comes first here counts."""

_OF_LISTS = frozenset({"list", "lists", "listing", "category", "liste", "lista", "serp", "results"})
_TAKEN_OUT = frozenset(
    {
        "remove",
        "removed",
        "delete",
        "deleted",
        "removal",
        "entfernt",
        "entfernen",
        "retire",
        "retirer",
        "supprime",
        "eliminar",
        "quitar",
        "移除",
        "删除",
    }
)
_OF_PAGES = frozenset(
    {"page", "session", "screen", "home", "homepage", "seite", "pagina", "promotion", "user"}
)
_BY_WORD = {word: kind for kind, words in reversed(list(_WORDS.items())) for word in words.split()}


def event_kind(word: str) -> str | None:
    """The kind of events that a word of a log means; None where it is none that kgrank uses."""
    plain = word.strip().casefold()
    if plain in (*KINDS, *OTHER_KINDS, *RETURNS):
        return plain
    if plain in SYNONYMS and plain != "pageview":
        return SYNONYMS[plain]
    key = head_key(word)
    words = key.split()
    kinds = {_BY_WORD[w] for w in words if w in _BY_WORD}
    kinds |= {kind for w, kind in _BY_WORD.items() if not w.isascii() and w in plain}
    if not kinds:
        return None
    taken_out = not _TAKEN_OUT.isdisjoint(words) or any(w in plain for w in ("移除", "删除"))
    if taken_out:
        target = "wishlist" if "wishlist" in kinds else "cart" if "cart" in kinds else None
        return f"remove_from_{target}" if target else None
    kind = next(k for k in _WORDS if k in kinds)
    if kind == "view" and not _OF_LISTS.isdisjoint(words):
        return "impression" if "select" not in words and "click" not in words else "view"
    if kind in ("view", "impression") and not _OF_PAGES.isdisjoint(words):
        return None
    if kind == "search" and "view" in words and "item" in words:
        return "impression"
    if kind == "cart" and "view" in words:
        return None
    return kind


def kinds_by_word(words: Iterable[str]) -> dict[str, str | None]:
    """The kind of each word of a log."""
    return {word: event_kind(word) for word in words}
