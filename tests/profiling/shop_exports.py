"""Small exports as shop systems write them, all made up: files of products and logs of events."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

COLORS = ("Red", "Blue", "Green", "Black")
SIZES = ("S", "M", "L", "XL")
BRANDS = ("Nordlys", "Vela", "Kumo", "Tern & Co")
KINDS = ("T-Shirts", "Jackets", "Scarves")


@dataclass(frozen=True)
class Product:
    """One product of the made-up shop."""

    id: str
    title: str
    brand: str
    kind: str
    color: str
    size: str
    price: float
    grams: int
    organic: bool


def products(count: int = 36) -> list[Product]:
    """The catalogue; the same on each call."""
    draw = random.Random(7)
    return [
        Product(
            f"P{1000 + n}",
            f"{BRANDS[n % 4]} {KINDS[n % 3]} {n}",
            BRANDS[n % 4],
            KINDS[n % 3],
            draw.choice(COLORS),
            draw.choice(SIZES),
            round(draw.uniform(8, 180), 2),
            draw.randrange(80, 900, 10),
            draw.random() < 0.5,
        )
        for n in range(count)
    ]


@dataclass(frozen=True)
class Event:
    """One event of the made-up log."""

    time: datetime
    user: str
    session: str
    kind: str
    item: str
    position: int


def events(shop: Sequence[Product], visits: int = 60) -> list[Event]:
    """Visits: a list of five products, a click on one, now and then a cart and a purchase."""
    draw = random.Random(11)
    log = []
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    for visit in range(visits):
        now = start + timedelta(hours=5 * visit, minutes=draw.randrange(50))
        user, session = f"u{visit % 23}", f"s{visit}"
        shown = draw.sample(list(shop), 5)
        log += [Event(now, user, session, "impression", p.id, n) for n, p in enumerate(shown, 1)]
        chosen = draw.choice(shown)
        for kind, chance in (("view", 1.0), ("cart", 0.5), ("purchase", 0.6)):
            if draw.random() > chance:
                break
            now += timedelta(seconds=40)
            log.append(Event(now, user, session, kind, chosen.id, shown.index(chosen) + 1))
    return log


def write_csv(
    path: Path,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Writes a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(heads)
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def shopify(folder: Path) -> Path:
    """Shopify's product export: variants in rows of their own, with the product's cells in the first one."""
    heads = [
        "Handle",
        "Title",
        "Body (HTML)",
        "Vendor",
        "Product Category",
        "Type",
        "Tags",
        "Published",
        "Option1 Name",
        "Option1 Value",
        "Option2 Name",
        "Option2 Value",
        "Variant SKU",
        "Variant Grams",
        "Variant Inventory Tracker",
        "Variant Inventory Qty",
        "Variant Inventory Policy",
        "Variant Fulfillment Service",
        "Variant Price",
        "Variant Compare At Price",
        "Variant Requires Shipping",
        "Variant Taxable",
        "Variant Barcode",
        "Image Src",
        "Image Position",
        "Image Alt Text",
        "Gift Card",
        "SEO Title",
        "SEO Description",
        "Google Shopping / Gender",
        "Variant Image",
        "Variant Weight Unit",
        "Cost per item",
        "Status",
    ]
    rows = []
    for p in products():
        common = {
            "Handle": p.id.lower() + "-" + p.kind.lower(),
            "Title": p.title,
            "Body (HTML)": f"<p>{p.title} made of wool.</p>",
            "Vendor": p.brand if p.price < 150 else p.brand.upper(),
            "Product Category": f"Apparel & Accessories > Clothing > {p.kind}",
            "Type": p.kind,
            "Tags": "new, sale" if p.organic else "sale",
            "Published": "true",
            "Option1 Name": "Color",
            "Option2 Name": "Size",
            "Gift Card": "false",
            "Status": "active",
        }
        for n, size in enumerate((p.size, "M" if p.size != "M" else "L")):
            row = (common if n == 0 else {"Handle": common["Handle"]}) | {
                "Option1 Value": p.color,
                "Option2 Value": size,
                "Variant SKU": f"{p.id}-{size}",
                "Variant Grams": str(p.grams),
                "Variant Inventory Qty": "5",
                "Variant Price": f"{p.price:.2f}",
                "Variant Requires Shipping": "true",
                "Variant Taxable": "true",
                "Image Src": f"https://cdn.example/{p.id}.jpg" if n == 0 else "",
                "Variant Weight Unit": "g",
            }
            rows.append([row.get(h, "") for h in heads])
    return write_csv(folder / "products_export.csv", heads, rows)


def woocommerce(folder: Path) -> Path:
    """WooCommerce's product export: category paths, several a cell; attributes as names and values."""
    heads = (
        "ID,Type,SKU,GTIN\\, UPC\\, EAN\\, or ISBN,Name,Published,Is featured?,Visibility in catalog,"
        "Short description,Description,Tax status,In stock?,Stock,Weight (kg),Regular price,Categories,Tags,"
        "Images,"
        "Attribute 1 name,Attribute 1 value(s),Attribute 1 visible,Attribute 1 global,Attribute 2 name,"
        "Attribute 2 value(s),Brands,Position"
    )
    names = [h.replace("\\", "") for h in heads.replace("\\,", "\x00").split(",")]
    names = [h.replace("\x00", ",") for h in names]
    rows = []
    for n, p in enumerate(products(), 1):
        color = f"{p.color}, {COLORS[n % 4]}" if n % 5 == 0 else p.color
        cells = {
            "ID": n,
            "Type": "simple",
            "SKU": p.id,
            "Name": p.title,
            "Published": 1,
            "Visibility in catalog": "visible",
            "Short description": f"{p.title}, which you will wear for many years to come, says everyone",
            "In stock?": 1,
            "Weight (kg)": p.grams / 1000,
            "Regular price": f"{p.price:.2f}",
            "Categories": f"Clothing > {p.kind}, Clothing > Sale" if n % 4 == 0 else f"Clothing > {p.kind}",
            "Images": f"https://shop.example/{p.id}.jpg",
            "Attribute 1 name": "Color",
            "Attribute 1 value(s)": color,
            "Attribute 1 visible": 1,
            "Attribute 2 name": "Size" if n % 2 else "Organic",
            "Attribute 2 value(s)": p.size if n % 2 else ("yes" if p.organic else "no"),
            "Brands": p.brand,
            "Position": 0,
        }
        rows.append([cells.get(h, "") for h in names])
    return write_csv(folder / "wc-product-export.csv", names, rows)


def google_merchant(folder: Path) -> Path:
    """Google Merchant's feed, tab-separated."""
    heads = [
        "id",
        "title",
        "description",
        "link",
        "image_link",
        "availability",
        "price",
        "google_product_category",
        "product_type",
        "brand",
        "gtin",
        "mpn",
        "condition",
        "color",
        "size",
        "gender",
        "age_group",
        "item_group_id",
        "shipping_weight",
    ]
    rows = [
        [
            p.id, p.title, f"{p.title}: warm, light, and made to last for a very long time indeed, we think",
            f"https://shop.example/p/{p.id}", f"https://shop.example/i/{p.id}.jpg", "in_stock",
            f"{p.price:.2f} GBP",
            "Apparel & Accessories > Clothing", f"Home > Clothing > {p.kind}", p.brand,
            f"40123456{n:05d}", f"M-{n}",
            "new", f"{p.color}/{COLORS[(n + 1) % 4]}" if n % 6 == 0 else p.color, p.size,
            "unisex" if n % 3 else "female", "adult", f"G{n // 2}", f"{p.grams} g",
        ]
        for n, p in enumerate(products())
    ]  # fmt: skip
    return write_csv(folder / "feed.tsv", heads, rows, "\t")


def magento(folder: Path) -> Path:
    """Magento 2's product export."""
    heads = [
        "sku",
        "store_view_code",
        "attribute_set_code",
        "product_type",
        "categories",
        "product_websites",
        "name",
        "description",
        "weight",
        "product_online",
        "tax_class_name",
        "visibility",
        "price",
        "url_key",
        "created_at",
        "updated_at",
        "additional_attributes",
        "qty",
        "is_in_stock",
        "color",
        "size",
        "manufacturer",
    ]
    rows = [
        [
            p.id, "", "Default", "simple",
            f"Default Category/Clothing/{p.kind},Default Category/New" if n % 4 == 0
            else f"Default Category/Clothing/{p.kind}",
            "base", p.title, f"<p>{p.title}</p>", p.grams / 1000, 1, "Taxable Goods", "Catalog, Search",
            f"{p.price:.4f}", p.title.lower().replace(" ", "-"), "3/1/26, 8:00 AM", "3/2/26, 8:00 AM",
            f"fit=slim,season={KINDS[n % 3]}", 10, 1, p.color, p.size, p.brand,
        ]
        for n, p in enumerate(products())
    ]  # fmt: skip
    return write_csv(folder / "catalog_product.csv", heads, rows)


def rees46(folder: Path) -> Path:
    """A log in the columns of REES46's public sets, which describes the products on each row."""
    shop = {p.id: p for p in products()}
    numbers = {id_: str(5_100_000 + n) for n, id_ in enumerate(shop)}
    rows = []
    for e in events(list(shop.values()), 120):
        p = shop[e.item]
        if e.kind == "impression":
            continue
        rows.append(
            [
                e.time.strftime("%Y-%m-%d %H:%M:%S UTC"), e.kind, numbers[p.id],
                {"T-Shirts": "2053013555", "Jackets": "2053013556", "Scarves": "2053013557"}[p.kind],
                f"apparel.{p.kind.lower().replace('-', '')}", p.brand.lower(), f"{p.price:.2f}",
                f"5000{e.user[1:]}", f"{e.session}-4e0a-88f3",
            ]
        )  # fmt: skip
    heads = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
    return write_csv(folder / "2026-Mar.csv", heads.split(","), rows)


def ga4(folder: Path) -> Path:
    """Events in the names of Google Analytics 4, flattened, times in microseconds."""
    names = {
        "impression": "view_item_list",
        "view": "view_item",
        "cart": "add_to_cart",
        "purchase": "purchase",
    }
    path = folder / "ga4.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n, e in enumerate(events(products())):
            record = {
                "event_date": e.time.strftime("%Y%m%d"),
                "event_timestamp": int(e.time.timestamp() * 1_000_000),
                "event_name": names[e.kind],
                "user_pseudo_id": f"{e.user}.1700",
                "ga_session_id": 1_700_000_000 + int(e.session[1:]),
                "items": {"item_id": e.item, "index": e.position - 1},
                "device": {"category": "mobile"},
            }
            file.write(json.dumps(record) + "\n")
            if n % 20 == 0:
                other = record | {"event_name": "session_start", "items": None}
                file.write(json.dumps(other) + "\n")
    return path


def retailrocket(folder: Path) -> Path:
    """A log in the columns of Retailrocket's public set."""
    names = {"view": "view", "cart": "addtocart", "purchase": "transaction"}
    rows = [
        [
            int(e.time.timestamp() * 1000),
            e.user[1:],
            names[e.kind],
            e.item,
            e.session[1:] if e.kind == "purchase" else "",
        ]
        for e in events(products())
        if e.kind in names
    ]
    return write_csv(
        folder / "events.csv", ["timestamp", "visitorid", "event", "itemid", "transactionid"], rows
    )


WORDS = {
    "de": {
        "heads": "Artikelnummer;Bezeichnung;Hersteller;Warengruppe;Preis;Farbe;Größe;Gewicht;Bio;Lagerbestand",
        "log": "Zeitstempel;Kundennr;Sitzung;Aktion;Artikelnummer;Position",
        "kinds": ("Einblendung", "Produktansicht", "In den Warenkorb", "Kauf"),
        "yes": ("ja", "nein"),
    },
    "fr": {
        "heads": "Référence;Désignation;Marque;Catégorie;Prix;Couleur;Taille;Poids;Bio;Disponibilité",
        "log": "Date et heure;Id client;Session;Action;Référence;Rang",
        "kinds": ("affichage", "vue produit", "ajout au panier", "achat"),
        "yes": ("oui", "non"),
    },
    "es": {
        "heads": "Código;Nombre;Marca;Categoría;Precio;Color;Talla;Peso;Ecológico;Existencias",
        "log": "Fecha y hora;Id usuario;Sesión;Acción;Código;Posición",
        "kinds": ("impresión", "vista de producto", "añadir al carrito", "compra"),
        "yes": ("sí", "no"),
    },
    "zh": {
        "heads": "商品编号;商品名称;品牌;类目;价格;颜色;尺码;重量;有机;库存",
        "log": "时间;用户ID;会话ID;行为类型;商品编号;位置",
        "kinds": ("曝光", "浏览", "加购", "购买"),
        "yes": ("是", "否"),
    },
}
"""Heads and words of a shop in other languages."""


def local_shop(folder: Path, language: str, encoding: str = "utf-8") -> list[Path]:
    """A shop's own export in another language, with its log; European ones with decimal commas."""
    words = WORDS[language]
    comma = language != "zh"

    def number(value: float) -> str:
        text = f"{value:,.2f}"
        return text.translate(str.maketrans(",.", ".,")) if comma else text.replace(",", "")

    shop = products()
    rows = [
        [
            p.id, p.title, p.brand, p.kind, number(p.price * 12), p.color, p.size, f"{p.grams} g",
            words["yes"][0 if p.organic else 1], "3",
        ]
        for p in shop
    ]  # fmt: skip
    heads, log_heads = str(words["heads"]).split(";"), str(words["log"]).split(";")
    kinds = dict(zip(("impression", "view", "cart", "purchase"), words["kinds"], strict=True))
    log = [
        [
            e.time.strftime("%d.%m.%Y %H:%M:%S" if comma else "%Y-%m-%d %H:%M:%S"),
            e.user,
            e.session,
            kinds[e.kind],
            e.item,
            e.position,
        ]
        for e in events(shop)
    ]
    separator = ";" if comma else ","
    return [
        write_csv(folder / "artikel.csv", heads, rows, separator, encoding),
        write_csv(folder / "log.csv", log_heads, log, separator, encoding),
    ]


MESSY_HEADS = (
    "SKU;Product name;Product type;Vendor;Variant Price;Socket;Dimmable;Power (W);Light;Weight;Finish;Tags;"
    "Status"
)

LIGHT_APPEAL = {"Warm": 1.6, "Neutral": 0.0, "Cold": -1.6}
"""What shoppers of the messy shop like, in logits."""


def messy_shop(folder: Path) -> list[Path]:
    """A lamp shop's export: brands in several spellings, mixed units, marks for missing cells, a doubled row.

    Shoppers choose by ``Light`` (``LIGHT_APPEAL``) and by a low price.
    """
    draw = random.Random(3)
    rows, light, price = [], {}, {}
    for n in range(60):
        brand = ("Lumo", "Halo & Söhne", "Kerze")[n % 3]
        id_, kind = f"L-{n:03d}", ("Desk lamps", "Bulbs")[n % 2]
        light[id_] = list(LIGHT_APPEAL)[draw.randrange(3)]
        price[id_] = draw.uniform(9, 90)
        watts = draw.choice((5, 8, 40, 60))
        rows.append(
            [
                id_,
                f"{brand} {kind} {n}",
                kind if n % 7 else kind.lower(),
                brand.upper() if n % 5 == 0 else brand,
                f"{price[id_]:.2f} EUR" if n % 4 == 0 else f"{price[id_]:.2f}",
                ("E27", "E14", "e27", "E 27", "E27")[n % 5] if kind == "Bulbs" else "",
                ("yes", "No", "Y", "n", "-")[n % 5],
                f"{watts / 1000} kW" if n % 9 == 0 else f"{watts} W" if n % 2 else str(watts),
                light[id_] if n % 10 else f"{light[id_]} light",
                "n/a" if n % 11 == 0 else f"{200 + n} g" if n % 2 else f"{(200 + n) / 1000} kg",
                ("Brushed steel", "Steel", "White", "white ")[draw.randrange(4)],
                ("sale, new", "new", "")[n % 3],
                "active",
            ]
        )
    rows.append(rows[10])
    items = write_csv(folder / "items.csv", MESSY_HEADS.split(";"), rows, ";")
    return [items, _messy_log(folder / "log.jsonl.gz", light, price, draw)]


def _messy_log(path: Path, light: dict[str, str], price: dict[str, float], draw: random.Random) -> Path:
    lines = []
    start = datetime(2026, 5, 1, 9, tzinfo=UTC)

    def line(seconds: int, action: str, item: str, slot: int | None) -> None:
        record = {
            "ts": (start + timedelta(minutes=97 * visit, seconds=seconds)).isoformat().replace("+00:00", "Z"),
            "customer_id": f"cust_{visit % 140:04d}",
            "visit": f"v{visit}",
            "action": action,
            "sku": item,
            "slot": slot,
            "page_id": f"p{visit}",
            "search_term": "",
        }
        lines.append(json.dumps(record))

    for visit in range(420):
        shown = draw.sample(list(light)[visit % 2 :: 2], 6)
        appeal = [math.exp(LIGHT_APPEAL[light[i]] - price[i] / 40) for i in shown]
        chosen = draw.choices(shown, appeal)[0]
        for slot, item in enumerate(shown, 1):
            line(0, "product_impression", item, slot)
        line(30, "product_view", chosen, shown.index(chosen) + 1)
        if draw.random() < 0.7:
            line(60, "add_to_basket", chosen, None)
        if draw.random() < 0.5:
            line(90, "order", chosen, None)
        if visit % 50 == 0:
            line(95, "newsletter_signup", chosen, None)
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path
