"""Column heads: what they are called in shops' exports and logs, in several languages.

The first name of a role is the surest; where a table has several, the first counts. Names are compared by
``head_key``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from kgrank.ontology.units import find_unit

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNIT = re.compile(
    r"^(?P<name>.*\S)\s*(?:[(\[（](?P<unit>[^()\[\]（）]{1,12})[)\]）]|(?:,| in)\s+(?P<after>\S{1,8}))$"
)


def plain_letters(text: str) -> str:
    """A text without case, width and accents: ``Größe`` is ``grosse``."""
    text = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in text if not "\u0300" <= c <= "\u036f")


def head_key(head: str) -> str:
    """A head as heads are compared: lower-case words without accents, with one space between them."""
    words = re.split(r"[\W_]+", plain_letters(_CAMEL.sub(" ", head)))
    return " ".join(w for w in words if w)


def unit_of_head(head: str) -> tuple[str, str | None]:
    """A head without the unit that it names, and the unit's code: ``Power (W)``, ``Gewicht in kg``."""
    match = _UNIT.match(head)
    if match is None:
        return head, None
    word = (match["unit"] or match["after"]).strip()
    known = find_unit(word) or find_unit(word.lower())
    return (match["name"], known.code) if known is not None else (head, None)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(head_key(name) for name in text.split(",")))


ITEM_HEADS: Mapping[str, tuple[str, ...]] = {
    "id": _names(
        "id, item id, product id, sku, item, article id, variant sku, product sku, product code, item "
        "code, item number, product number, article number, item no, stock code, stockcode, asin, "
        "handle, code, artikelnummer, artikel nr, artikelnr, art nr, artikel id, artikel, produkt id, "
        "produktnummer, bestellnummer, reference, ref, code article, code produit, id produit, "
        "reference produit, identifiant, referencia, codigo, codigo producto, codigo de producto, id "
        "producto, id articulo, codice, codice articolo, artikelcode, g id, 商品id, 商品编号, "
        "商品编码, 产品编号, 货号, 编号, 款号, 品番, 商品コード, gtin, ean, product, produkt, variant "
        "id, parent asin"
    ),
    "title": _names(
        "title, product title, name, product name, item name, item title, product, titel, "
        "produktname, artikelname, artikelbezeichnung, bezeichnung, produkt, produktbezeichnung, nom, "
        "nom du produit, nom produit, titre, libelle, designation, nombre, nombre del producto, "
        "nombre producto, titulo, denominacion, titolo, nome, nome prodotto, naam, productnaam, "
        "商品名称, 产品名称, 名称, 商品标题, 标题, 品名, 商品名"
    ),
    "brand": _names(
        "brand, brand name, vendor, manufacturer, product brand, maker, marke, hersteller, "
        "markenname, marque, fabricant, marca, fabricante, produttore, merk, fabrikant, 品牌, "
        "品牌名称, 牌子, 厂商, 生产商, ブランド, メーカー, brands"
    ),
    "category": _names(
        "category path, product type, category, categories, product category, category code, category "
        "name, type, item type, department, google product category, kategorie, kategorien, "
        "kategoriepfad, produktkategorie, warengruppe, produktgruppe, produkttyp, artikelgruppe, "
        "sortiment, categorie, categories produit, categorie produit, rayon, famille, type de "
        "produit, type produit, categoria, categorias, tipo, tipo de producto, familia, categoria de "
        "producto, seccion, reparto, categorieen, categorie naam, 类目, 分类, 品类, 类别, 商品分类, "
        "商品类目, 产品类别, 产品分类, カテゴリ, カテゴリー, category id, main category, "
        "hauptkategorie, unterkategorie, untergruppe, subcategory, sub category, sous categorie, "
        "subcategoria, obergruppe, 一级类目, 二级类目, 三级类目, 大类, 中类, 小类, category level 1, "
        "category level 2, category level 3, category l1, category l2, category l3, category 1, "
        "category 2, category 3, level 1, level 2, level 3"
    ),
    "description": _names(
        "description, body html, body, long description, product description, short description, "
        "beschreibung, langtext, produktbeschreibung, kurzbeschreibung, descriptif, description "
        "courte, descripcion, descripcion corta, descrizione, omschrijving, 描述, 商品描述, 详情, "
        "产品描述, 説明, details, text"
    ),
}
"""Heads of product tables, by role."""

EVENT_HEADS: Mapping[str, tuple[str, ...]] = {
    "time": _names(
        "event time, event timestamp, timestamp, time, ts, datetime, date time, event date, server "
        "time, server timestamp, created at, occurred at, created, date, order date, invoice date, "
        "invoicedate, zeitstempel, zeitpunkt, zeit, datum uhrzeit, datum, uhrzeit, bestelldatum, "
        "horodatage, date heure, heure, date commande, fecha hora, fecha y hora, marca de tiempo, "
        "fecha, hora, fecha pedido, data, data ora, tijdstip, 时间, 时间戳, 事件时间, 行为时间, 日期, "
        "下单时间, 日時"
    ),
    "user": _names(
        "user, user id, userid, customer id, customer, visitor id, visitorid, visitor, user pseudo "
        "id, client id, shopper id, shopper, member id, buyer id, buyer, account id, full visitor id, "
        "fullvisitorid, cookie id, anonymous id, uid, person, customer no, customer number, cid, "
        "kunden id, kundennummer, kundennr, kunden nr, kunde, benutzer id, benutzer, nutzer id, "
        "nutzer, besucher id, besucher, utilisateur, id utilisateur, client, id client, code client, "
        "visiteur, id visiteur, acheteur, usuario, id usuario, id de usuario, cliente, id cliente, "
        "visitante, utente, id utente, klant, klantnummer, gebruiker, 用户id, 用户, 用户编号, 会员id, "
        "会员, 顾客, 客户id, 买家id, ユーザー, ユーザーid, email"
    ),
    "session": _names(
        "session, session id, user session, visit, visit id, visitid, id visit, idvisit, ga session "
        "id, sessionid, sitzung, sitzungs id, sitzungsid, besuch, besuch id, visite, id session, id "
        "visite, sesion, id sesion, id de sesion, visita, sessione, sessie, 会话, 会话id, 访问, "
        "访问id, セッション"
    ),
    "kind": _names(
        "event type, event name, kind, event, action, action type, activity, behavior type, behaviour "
        "type, behavior, behaviour, interaction, interaction type, event action, type, ereignis, "
        "ereignistyp, aktion, ereignisart, aktionstyp, evenement, type evenement, type d evenement, "
        "action utilisateur, evento, tipo evento, tipo de evento, accion, azione, tipo, actie, "
        "gebeurtenis, 行为, 行为类型, 事件, 事件类型, 事件名称, 动作, 操作, イベント"
    ),
    "item": (
        *_names(
            "item, item id, product id, sku, article id, content id, object id, entity id, items item "
            "id, produktid"
        ),
        *ITEM_HEADS["id"],
    ),
    "position": _names(
        "position, slot, rank, pos, item list index, index, list position, place, rang, platz, "
        "stelle, listenplatz, emplacement, posicion, puesto, posizione, positie, 位置, 排名, 序号, "
        "展示位置"
    ),
    "list": _names(
        "list id, page id, page view id, pageview id, impression id, request id, query id, list, serp "
        "id, search id, recommendation id, items item list id, item list id, seiten id, seitenaufruf, "
        "listen id, liste, id page, id liste, id pagina, pagina id, id lista, lista, 页面id, 列表id, "
        "列表, 请求id, order id"
    ),
    "query": _names(
        "search term, search query, query, search, search keyword, keyword, keywords, search terms, "
        "q, suchbegriff, suchanfrage, suche, suchwort, requete, recherche, terme de recherche, termes "
        "recherches, mot cle, busqueda, consulta, termino de busqueda, ricerca, zoekterm, 搜索词, "
        "搜索关键词, 关键词, 查询词, 检索词"
    ),
    "value": _names(
        "quantity, qty, rating, stars, score, units, menge, anzahl, stueckzahl, stuckzahl, bewertung, "
        "quantite, qte, note, cantidad, unidades, valoracion, calificacion, quantita, aantal, 数量, "
        "件数, 评分"
    ),
}
"""Heads of behaviour logs, by role; an order's id only joins what was bought together, so it comes last."""

OFFER_HEADS: Mapping[str, tuple[str, ...]] = {
    "start": _names(
        "from, start, valid from, start date, from date, date from, starts at, effective from, begin, begins, "
        "begin date, gültig ab, gültig von, von, ab, beginn, startdatum, à partir du, du, date de début, début, "
        "valable du, desde, válido desde, fecha inicio, fecha de inicio, inicio, dal, valido dal, inizio, van, "
        "geldig vanaf, 开始, 开始时间, 开始日期, 生效时间, 生效日期, 起始日期"
    ),
    "end": _names(
        "to, end, until, valid to, valid until, end date, to date, date to, till, ends at, expires, expires at, "
        "expiry date, effective to, gültig bis, bis, ende, enddatum, au, jusqu au, date de fin, fin, valable "
        "jusqu au, hasta, válido hasta, fecha fin, fecha de fin, al, valido fino al, fine, tot, geldig tot, 结束, "
        "结束时间, 结束日期, 失效时间, 失效日期, 截止日期"
    ),
    "place": _names(
        "place, store, store id, shop, shop id, location, outlet, branch, market, channel, filiale, filial, "
        "laden, standort, markt, magasin, boutique, point de vente, tienda, sucursal, negozio, punto vendita, "
        "winkel, filiaal, 门店, 店铺, 门店编号, 渠道"
    ),
}
"""Heads of tables of offers (prices and promotions with periods), by role."""

CLOCK_HEADS = _names(
    "time, time of day, uhrzeit, zeit, heure, hora, ora, tijd, 时刻, 时间, event hour, hour, clock"
)
"""Heads of columns with the time of day, beside one with the day."""

RATING_HEADS = _names("rating, stars, score, bewertung, note, valoracion, calificacion, 评分")
"""Heads of columns of values that are ratings."""

LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "a web address or a picture": _names(
        "url, link, href, image, images, img, picture, photo, thumbnail, bild, bilder, bildlink, "
        "foto, imagen, imagenes, immagine, lien, enlace, permalink, 图片, 链接, 主图"
    ),
    "for search engines": _names("seo, meta, google shopping, og"),
    "a code that names one item": _names(
        "url key, barcode, gtin, ean, upc, mpn, isbn, slug, hs code, 条码, 条形码"
    ),
    "stock or availability, which changes daily": _names(
        "inventory, stock, availability, in stock, backorders, bestand, lagerbestand, verfugbarkeit, "
        "verfuegbarkeit, lager, disponibilite, existencias, disponibilidad, stock quantity, 库存, "
        "库存数量"
    ),
    "a state of the record": _names(
        "published, status, visibility, visibility in catalog, is featured, is in stock, gift card, "
        "requires shipping, taxable, fulfillment, created, created at, updated, updated at, modified, "
        "active, enabled, erstellt, geandert, veroffentlicht, sichtbarkeit, attribute set code, "
        "product websites, store view code, tax class, tax class name, tax status, tax code, "
        "identifier exists, custom label, variant position, menu order, position, reviews allowed, "
        "allow customer reviews, sold individually, inventory tracker, inventory policy, weight unit, "
        "expiration date, sale price effective date, cost, cost per item, einkaufspreis, shipping, "
        "shipping class, versand, upsells, cross sells, related skus, swatch, download limit, option1 "
        "linked to, option2 linked to, option3 linked to, linked to"
    ),
}
"""Reasons for which a column is no attribute, and names or ends of names that show it."""

GROUP_HEADS = _names("handle, item group id, parent sku, parent id, parent, group id, product group")
"""Heads of columns that name the product to which several rows of variants belong."""

_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "de": _names(
        "artikelnummer, artikel, bezeichnung, hersteller, marke, kategorie, preis, farbe, grosse, "
        "gewicht, groesse, warengruppe, produktname, beschreibung, hohe, breite, lange, herkunft, "
        "verkaufspreis"
    ),
    "fr": _names(
        "nom, marque, fabricant, categorie, prix, couleur, taille, poids, matiere, titre, libelle, "
        "designation, hauteur, largeur, longueur, origine, famille, rayon"
    ),
    "es": _names(
        "nombre, marca, fabricante, categoria, precio, color, talla, peso, titulo, descripcion, "
        "referencia, altura, anchura, longitud, tamano, codigo, origen"
    ),
    "it": _names(
        "nome, marca, categoria, prezzo, colore, taglia, peso, titolo, descrizione, altezza, "
        "larghezza, materiale"
    ),
    "nl": _names("naam, merk, categorie, prijs, kleur, maat, gewicht, omschrijving, hoogte, breedte"),
}


def language_of(heads: list[str], cells: str = "") -> str:
    """The language that most heads are in, two letters; by script, else by known words, else English."""
    text = "".join(heads) + cells
    if any("\u3040" <= c <= "\u30ff" for c in text):
        return "ja"
    if any("\uac00" <= c <= "\ud7af" for c in text):
        return "ko"
    if sum("\u4e00" <= c <= "\u9fff" for c in "".join(heads)) >= 2:
        return "zh"
    if sum("\u0400" <= c <= "\u04ff" for c in "".join(heads)) >= 5:
        return "ru"
    keys = {word for head in heads for word in (head_key(head), *head_key(head).split())}
    counts = {language: len(keys & set(words)) for language, words in _LANGUAGES.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= 2 else "en"


def reason_to_leave_out(head: str) -> str | None:
    """Why a column with this head is no attribute of items; None where nothing says so."""
    key = head_key(head)
    for reason, names in LEFT_OUT.items():
        for name in names:
            if key == name or key.endswith(f" {name}") or (key.startswith(f"{name} ") and name in _STARTS):
                return reason
    return None


def is_id_head(head: str) -> bool:
    """Whether a head is called like an id, or like a group of items."""
    key = head_key(head)
    return (
        key in GROUP_HEADS
        or key in ITEM_HEADS["id"]
        or key.endswith((" id", " ids", " no", " nr", " number", " nummer"))
    )


_STARTS = frozenset(
    {"seo", "meta", "google shopping", "og", "image", "images", "inventory", "custom label", "bild"}
)
"""Names that say so at the beginning of a head too."""
