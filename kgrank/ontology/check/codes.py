"""Every code of the check: what it means, a bad and a good example, and what to do.

``docs/ontology-codes.md`` is generated from this table: ``python -m kgrank.ontology.check.codes > FILE``.
"""

from __future__ import annotations

import sys
from typing import NamedTuple


class Code(NamedTuple):
    """One code of the check; its first letter names the subject, W is a warning."""

    code: str
    title: str
    bad: str
    good: str
    todo: str


CODES: tuple[Code, ...] = (
    Code(
        "P001",
        "The file is not valid Turtle",
        'c:shoes a kg:Category\n    skos:notation "AA-2" .',
        'c:shoes a kg:Category ;\n    skos:notation "AA-2" .',
        "Look at the named line and the end of the line before: a full stop, a semicolon, a bracket or a "
        "quote is missing, or a short name is not declared.",
    ),
    Code("P002", "The file cannot be read", "", "", "Give yourself the right to read it."),
    Code("P003", "The file is UTF-16", "", "", "Save it again as UTF-8."),
    Code("P004", "The file is not UTF-8", "", "", "Save it as UTF-8; it is probably a Windows or GBK file."),
    Code("P005", "The file is empty", "", "", "Restore it from git, or delete it."),
    Code(
        "P006",
        "An unfinished git merge",
        '<<<<<<< HEAD\n    skos:notation "AA" ;\n=======\n    skos:notation "AB" ;\n>>>>>>> other',
        '    skos:notation "AB" ;',
        "Choose one side and delete the lines with the marks.",
    ),
    Code(
        "P008",
        "A well-known short name stands for another namespace",
        "@prefix kg: <http://w3id.org/kgrank/ns#> .",
        "@prefix kg: <https://w3id.org/kgrank/ns#> .",
        "Copy the `@prefix` line from `kgrank.ttl`. Every word of the file is unknown until then.",
    ),
    Code(
        "P009",
        "A short name stands for two namespaces",
        "@prefix a: <https://shop.example/attribute/> .  # in the other files <https://shop.example/id/attribute/>",
        "@prefix a: <https://shop.example/id/attribute/> .",
        "Make the `@prefix` lines of all files the same; otherwise nothing that the file names exists.",
    ),
    Code(
        "W101",
        "A file that is not read",
        "",
        "",
        "Move a Turtle file out of a folder below; write a file in another syntax as Turtle; or take it out.",
    ),
    Code(
        "O100",
        "No file names the ontology",
        "",
        '<…> a owl:Ontology ;\n    owl:versionInfo "2026.10" ; dcterms:language "en" .',
        "Add `ontology.ttl` with a header. Its line is 0, because the file is missing.",
    ),
    Code(
        "O101",
        "Two headers",
        "<…/one> a owl:Ontology .\n<…/two> a owl:Ontology .",
        "<…/one> a owl:Ontology .",
        "Keep one `owl:Ontology` a folder.",
    ),
    Code(
        "O102",
        "A thing is described in two files",
        "# dresses in categories.ttl and again in ontology.ttl",
        "# dresses in categories.ttl only",
        "Keep one of the two: one thing lives in one file.",
    ),
    Code(
        "O103",
        "An unknown kind of thing",
        "r:light a kg:Monoton .",
        "r:light a kg:Monotone .",
        "Use the kind that is proposed.",
    ),
    Code(
        "O104",
        "An unknown word",
        "kg:requiers a:size ;",
        "kg:requires a:size ;",
        "Use the word that is proposed. The check goes on as if it stood there.",
    ),
    Code(
        "O105",
        "A thing does not say what it is, or has no name of its own",
        'v:red skos:prefLabel "Red"@en .',
        'v:red a kg:Value ; skos:prefLabel "Red"@en .',
        "Begin with a name and its kind.",
    ),
    Code(
        "O106",
        "A word with two values",
        "kg:sure 0,9 ;",
        "kg:sure 0.9 ;",
        "Keep one. Two numbers are often one with a decimal comma.",
    ),
    Code(
        "O107",
        "A list without brackets",
        "kg:values v:red , v:navy ;",
        "kg:values ( v:red v:navy ) ;",
        "Write the names in round brackets, without commas.",
    ),
    Code(
        "O108",
        "A word on the wrong kind of thing",
        'c:shoes kg:unit "cm" .',
        'a:length kg:unit "cm" .',
        "Move it to a thing of the kind that is named.",
    ),
    Code(
        "O109",
        "The notation is missing or not a code",
        'skos:notation "shoes & boots" ;',
        'skos:notation "AA-2" ;',
        "Write letters and digits (of any script) and `- . _ /` only.",
    ),
    Code(
        "O110",
        "Two kinds for one thing",
        "v:red a kg:Value , kg:Brand .",
        "v:red a kg:Value .",
        "Keep one kind.",
    ),
    Code(
        "O111",
        "A notation is used twice",
        'c:a skos:notation "AA" .\nc:b skos:notation "AA" .',
        'c:a skos:notation "AA" .\nc:b skos:notation "AB" .',
        "Give one of the two another notation.",
    ),
    Code(
        "O112",
        "A name or synonym without a language",
        'skos:prefLabel "Shoes" ;',
        'skos:prefLabel "Shoes"@en ;',
        "Add the language after the closing quote.",
    ),
    Code(
        "O113",
        "An empty name",
        'skos:prefLabel ""@en ;',
        'skos:prefLabel "Shoes"@en ;',
        "Write it or delete it.",
    ),
    Code(
        "O114",
        "Two names in one language",
        'skos:prefLabel "Dresses"@en , "Gowns"@en ;',
        'skos:prefLabel "Dresses"@en ; skos:altLabel "Gowns"@en ;',
        "Keep one; the other is a synonym.",
    ),
    Code(
        "O115",
        "Two things with the same id",
        "<https://shop.example/x/red> a kg:Value .\nv:red a kg:Value .",
        "v:red a kg:Value .",
        "Ids are the last part of the IRI; give one of the two another.",
    ),
    Code(
        "O116",
        "An invisible character in a name",
        'skos:prefLabel "Sho\u200bes"@en ;',
        'skos:prefLabel "Shoes"@en ;',
        "Retype the name; it was probably copied from a web page.",
    ),
    Code(
        "W116",
        "Stray space in a name",
        'skos:prefLabel "Running  shoes "@en ;',
        'skos:prefLabel "Running shoes"@en ;',
        "Write one space between words and none at the ends.",
    ),
    Code(
        "O117",
        "The name in the first language is missing",
        'skos:prefLabel "重量"@zh ;',
        'skos:prefLabel "Weight"@en , "重量"@zh ;',
        "Add it. The header's `dcterms:language` says the languages.",
    ),
    Code(
        "W117",
        "A name in a further language is missing",
        'skos:prefLabel "Weight"@en ;',
        'skos:prefLabel "Weight"@en , "重量"@zh ;',
        "Add it when you have it.",
    ),
    Code(
        "W118",
        "A synonym that is the name",
        'skos:prefLabel "Dresses"@en ; skos:altLabel "Dresses"@en ;',
        'skos:prefLabel "Dresses"@en ;',
        "Delete the synonym.",
    ),
    Code(
        "O119",
        "An id that cannot be used",
        "<https://shop.example/id/attribute/a=b> a kg:Attribute .",
        "a:a-b a kg:Attribute .",
        "Write letters, digits, - and _ in the last part of the IRI; a = stands between attributes and values.",
    ),
    Code(
        "O120",
        "`owl:deprecated` is neither true nor false",
        'owl:deprecated "yes" ;',
        "owl:deprecated true ;",
        "Write true or false, without quotes.",
    ),
    Code(
        "W120",
        "Deprecated without a replacement",
        "owl:deprecated true .",
        "owl:deprecated true ; dcterms:isReplacedBy c:running-shoes .",
        "Name what replaces it, if anything does: learned weights move there.",
    ),
    Code(
        "O121",
        "The replacement does not exist",
        "dcterms:isReplacedBy c:runing-shoes .",
        "dcterms:isReplacedBy c:running-shoes .",
        "Name another thing of the same kind.",
    ),
    Code(
        "W123",
        "Replaced but not deprecated",
        "dcterms:isReplacedBy c:running-shoes .",
        "owl:deprecated true ; dcterms:isReplacedBy c:running-shoes .",
        "Deprecate it, or delete the replacement.",
    ),
    Code(
        "W124",
        "A state that is not read",
        'adms:status "deprecated" ;',
        "owl:deprecated true ;",
        "Write `owl:deprecated true` where the thing is out of use.",
    ),
    Code(
        "W125",
        "A replacement in the other direction only",
        "c:running-shoes dcterms:replaces c:joggers .",
        "c:joggers owl:deprecated true ; dcterms:isReplacedBy c:running-shoes .",
        "Write `dcterms:isReplacedBy` on what is replaced.",
    ),
    Code(
        "W126",
        "A word of another vocabulary",
        'skosxl:altLabel [ skosxl:literalForm "trainers"@en ] ;',
        'skos:altLabel "trainers"@en ;',
        "Write the word that is read; the other may stay beside it.",
    ),
    Code(
        "W127",
        "A top concept with a category above it",
        "skos:broader c:shoes ; skos:topConceptOf <…> ;",
        "skos:broader c:shoes ;",
        "Delete `skos:topConceptOf`, or `skos:broader`.",
    ),
    Code(
        "W128",
        "A thing of another vocabulary",
        'c:boots a skos:Concept ; skos:prefLabel "Boots"@en .',
        'c:boots a skos:Concept , kg:Category ; skos:prefLabel "Boots"@en ; skos:notation "B" .',
        "Say what it is for kgrank, or keep it in a folder of its own.",
    ),
    Code(
        "O125",
        "The header has no version",
        "<…> a owl:Ontology .",
        '<…> a owl:Ontology ; owl:versionInfo "2026.10" .',
        "Add `owl:versionInfo`.",
    ),
    Code(
        "O126",
        "The header does not say its languages",
        "<…> a owl:Ontology .",
        '<…> a owl:Ontology ; dcterms:language "en" , "zh" .',
        "Add `dcterms:language`, the main one first.",
    ),
    Code(
        "O201",
        "An attribute without a type",
        "a:waterproof a kg:Attribute .",
        "a:waterproof a kg:Attribute ; kg:type kg:Boolean .",
        "Add Choice, Choices, Ordered, Number, Boolean or Text.",
    ),
    Code(
        "O202",
        "An unknown type",
        "kg:type kg:Bool ;",
        "kg:type kg:Boolean ;",
        "Write Choice, Choices, Ordered, Number, Boolean or Text.",
    ),
    Code(
        "O203",
        "A choice without values",
        "kg:type kg:Choice .",
        "kg:type kg:Choice ; kg:values ( v:crew v:halter ) .",
        "List the values, or take them from another attribute with `kg:valuesOf`.",
    ),
    Code(
        "O204",
        "A listed value is not described",
        "kg:values ( v:red v:nvay ) .",
        "kg:values ( v:red v:navy ) .",
        "Correct the name, or describe the value in `values.ttl`.",
    ),
    Code(
        "O205",
        "An unknown unit",
        'kg:unit "inch" ;',
        'kg:unit "[in_i]" ;',
        "Use a UCUM code or an ISO 4217 currency from the list in the documentation.",
    ),
    Code(
        "O206",
        "A unit on something that is no Number",
        'kg:type kg:Ordered ; kg:unit "cm" ;',
        "kg:type kg:Ordered ;",
        "Delete the unit, or make it a Number.",
    ),
    Code(
        "O207",
        "The least value is above the greatest",
        "kg:min 180 ; kg:max 40 ;",
        "kg:min 40 ; kg:max 180 ;",
        "Swap them.",
    ),
    Code(
        "O208",
        "`kg:min` or `kg:max` is not a number",
        'kg:min "40 cm" ;',
        "kg:min 40 ;",
        "Write the bare number; the unit stands in `kg:unit`.",
    ),
    Code(
        "O209",
        "A Number without a unit",
        "kg:type kg:Number .",
        'kg:type kg:Number ; kg:unit "g" .',
        'Add it; `"1"` says that there is none.',
    ),
    Code(
        "O210",
        "A value is listed twice",
        "kg:values ( v:red v:navy v:red ) .",
        "kg:values ( v:red v:navy ) .",
        "Delete one.",
    ),
    Code(
        "O211",
        "Values where they have no place",
        "kg:type kg:Boolean ; kg:values ( v:yes v:no ) .",
        "kg:type kg:Boolean .",
        "Delete them, or make it a Choice; keep one of `kg:values` and `kg:valuesOf`.",
    ),
    Code(
        "W212",
        "A value that no attribute uses",
        "v:navy a kg:Value .",
        "a:color kg:values ( v:red v:navy ) .",
        "Add it to an attribute, or deprecate it.",
    ),
    Code(
        "O213",
        "Values of an attribute that does not exist",
        "kg:valuesOf a:colr .",
        "kg:valuesOf a:color .",
        "Name an attribute that exists, or `kg:Brand`.",
    ),
    Code(
        "O214",
        "A range on something that is no Number",
        "kg:type kg:Boolean ; kg:min 0 .",
        "kg:type kg:Boolean .",
        "Delete it, or make it a Number.",
    ),
    Code(
        "O215",
        "`kg:valuesOf` goes in a circle",
        "a:x kg:valuesOf a:y .\na:y kg:valuesOf a:x .",
        "a:x kg:values ( v:red v:navy ) .\na:y kg:valuesOf a:x .",
        "List the values on one of them.",
    ),
    Code(
        "O301",
        "Two parents",
        "skos:broader c:dresses , c:apparel ;",
        "skos:broader c:dresses ; kg:alsoUnder c:apparel ;",
        "Keep one. `kg:alsoUnder` gives a second place in the menu and inherits nothing.",
    ),
    Code(
        "O302",
        "The parent does not exist",
        "skos:broader c:dreses ;",
        "skos:broader c:dresses ;",
        "Correct the name.",
    ),
    Code(
        "O303",
        "A category is its own parent",
        "c:shoes skos:broader c:shoes .",
        "c:shoes skos:broader c:apparel .",
        "Name the category above, or delete the line.",
    ),
    Code(
        "O304",
        "The parents go in a circle",
        "c:a skos:broader c:b .\nc:b skos:broader c:a .",
        "c:b skos:broader c:a .",
        "Take one of the links out.",
    ),
    Code(
        "O305",
        "Two children of one category have the same name",
        'c:a skos:broader c:x; skos:prefLabel "Hats"@en .\nc:b skos:broader c:x; skos:prefLabel "Hats"@en .',
        'c:a skos:broader c:x; skos:prefLabel "Hats"@en .\nc:b skos:broader c:x; skos:prefLabel "Caps"@en .',
        "Merge them, or rename one.",
    ),
    Code(
        "O306",
        "The second place in the menu does not exist",
        "kg:alsoUnder c:giftz ;",
        "kg:alsoUnder c:gifts ;",
        "Correct the name.",
    ),
    Code(
        "O307",
        "A category below that does not name the one above",
        "c:shoes skos:narrower c:boots .",
        "c:boots skos:broader c:shoes .",
        "Write `skos:broader` on the category below; `skos:narrower` may stay beside it.",
    ),
    Code(
        "O310",
        "A category names an attribute that does not exist",
        "kg:recommends a:wieght ;",
        "kg:recommends a:weight ;",
        "Correct the name, or describe the attribute.",
    ),
    Code(
        "O311",
        "A category says twice how it needs an attribute",
        "kg:requires a:size ; kg:drops a:size ;",
        "kg:requires a:size ;",
        "Keep one of requires, recommends, allows and drops.",
    ),
    Code(
        "W312",
        "A category repeats what it inherits",
        "kg:requires a:color ;  # apparel requires it",
        "",
        "Delete it here: a change above would not reach this category.",
    ),
    Code(
        "O313",
        "A category drops what it does not inherit",
        "c:shoes kg:drops a:sleeve .",
        "",
        "Delete it here.",
    ),
    Code(
        "O314",
        "An incomplete narrowing",
        "kg:narrows [ kg:attribute a:neckline ] .",
        "kg:narrows [ kg:attribute a:neckline ; kg:values ( v:v-neck ) ] .",
        "Say the attribute, and values or a range.",
    ),
    Code(
        "O315",
        "A category narrows what it does not have",
        "c:dresses kg:narrows [ kg:attribute a:heel ; kg:max 50 ] .",
        "c:shoes kg:narrows [ kg:attribute a:heel ; kg:max 50 ] .",
        "Add the attribute, or delete the narrowing.",
    ),
    Code(
        "O316",
        "A narrowing that adds a value",
        "kg:narrows [ kg:attribute a:neckline ; kg:values ( v:red ) ] .",
        "kg:narrows [ kg:attribute a:neckline ; kg:values ( v:crew ) ] .",
        "A subcategory can only take values away.",
    ),
    Code(
        "O317",
        "A narrowing that widens the range",
        "kg:narrows [ kg:attribute a:weight ; kg:max 9000 ] .",
        "kg:narrows [ kg:attribute a:weight ; kg:max 450 ] .",
        "A subcategory can only narrow.",
    ),
    Code(
        "W318",
        "An attribute that no category uses",
        "a:length a kg:Attribute .",
        "c:dresses kg:recommends a:length .",
        "Add it to a category, or deprecate it.",
    ),
    Code(
        "R401",
        "A field of the rule is missing",
        "r:x a kg:AtLeast ; kg:share 0.15 .",
        "r:x a kg:AtLeast ; kg:attribute a:color ; kg:share 0.15 .",
        "Add it; the page on rules lists each kind's fields.",
    ),
    Code(
        "R402",
        "A field that this kind does not have",
        "r:x a kg:Irrelevant ; kg:attribute a:care ; kg:share 0.1 .",
        "r:x a kg:Irrelevant ; kg:attribute a:care .",
        "Delete it, or change the kind.",
    ),
    Code("R403", "Both soft and hard", "kg:sure 0.9 ; kg:must true ;", "kg:must true ;", "Keep one."),
    Code(
        "R404",
        "Neither soft nor hard",
        "r:x a kg:Irrelevant ; kg:attribute a:care .",
        "r:x a kg:Irrelevant ; kg:attribute a:care ; kg:sure 0.8 .",
        "Say how probable the rule is before looking at the data, or `kg:must true`.",
    ),
    Code(
        "R405",
        "`kg:sure` is not between 0 and 1",
        "kg:sure 90 ;",
        "kg:sure 0.9 ;",
        "Write a probability; for certainty write `kg:must true`.",
    ),
    Code(
        "W406",
        "A rule that says nothing, or its opposite",
        "kg:sure 0.5 ;",
        "kg:sure 0.8 ;",
        "Above 0.5 the rule acts; below, write the opposite rule.",
    ),
    Code(
        "R407",
        "A kind that cannot be hard",
        "r:x a kg:About ; kg:must true .",
        "r:x a kg:About ; kg:sure 0.95 .",
        "Write a high `kg:sure`.",
    ),
    Code(
        "R408",
        "The author is missing",
        "r:x a kg:Order .",
        "r:x a kg:Order ; dcterms:creator p:shoes-lead .",
        "Say who wrote the rule.",
    ),
    Code(
        "R409",
        "The author is not known",
        "dcterms:creator p:may ;",
        "dcterms:creator p:mei ;",
        "Correct the name, or add the person to `ontology.ttl`.",
    ),
    Code(
        "R410",
        "The date is missing or no date",
        'dcterms:created "12.9.2026" ;',
        'dcterms:created "2026-09-12"^^xsd:date ;',
        "Say when the rule was written.",
    ),
    Code(
        "W411",
        "No reason, or two in one language",
        "r:x a kg:Order .",
        'r:x a kg:Order ; kg:because "Survey 2025."@en .',
        "Say why, in one sentence a language.",
    ),
    Code(
        "R412",
        "Something stands twice in one list",
        "kg:order ( a:size a:color a:size ) ;",
        "kg:order ( a:size a:color ) ;",
        "Delete one.",
    ),
    Code(
        "R413",
        "`kg:members` mixes kinds, or names what does not exist",
        "kg:members ( v:navy a:color ) ;",
        "kg:members ( v:navy v:black ) ;",
        "Name attributes only, or values only.",
    ),
    Code(
        "R414",
        "The rule does not say where it holds",
        "r:x a kg:Order .",
        "r:x a kg:Order ; kg:in c:dresses .",
        "Add `kg:in`; it holds there and below.",
    ),
    Code(
        "R415",
        "The rule's category does not exist",
        "kg:in c:runing-shoes ;",
        "kg:in c:running-shoes ;",
        "Correct the name.",
    ),
    Code(
        "W416",
        "The rule's category is deprecated",
        "kg:in c:trainers ;",
        "kg:in c:running-shoes ;",
        "Use the category that replaces it.",
    ),
    Code(
        "R418",
        "The attribute does not apply there",
        "kg:in c:dresses ; kg:attribute a:heel ;",
        "kg:in c:shoes ; kg:attribute a:heel ;",
        "Take an attribute of the category, or move the rule.",
    ),
    Code(
        "R419",
        "An exception outside the rule's place",
        "kg:in c:dresses ; kg:butNot c:shoes ;",
        "kg:in c:dresses ;",
        "Delete the `kg:butNot`.",
    ),
    Code(
        "R420",
        "A dead rule",
        "kg:in c:dresses ; kg:butNot c:dresses ;",
        "kg:in c:dresses ;",
        "Delete the rule or the `kg:butNot`.",
    ),
    Code(
        "R421",
        "A preferred value that does not apply there",
        "kg:attribute a:color ; kg:values ( v:red v:silk ) ;",
        "kg:attribute a:color ; kg:values ( v:red v:navy ) ;",
        "Use the values that the attribute has in that category.",
    ),
    Code(
        "R422",
        "A list of fewer than two",
        "kg:order ( a:size ) ;",
        "kg:order ( a:size a:color ) ;",
        "Add another, or delete the rule.",
    ),
    Code(
        "R423", "A share that is not from 0 to 1", "kg:share 15 ;", "kg:share 0.15 ;", "Write 0.15 for 15 %."
    ),
    Code("R424", "The brand is not known", "kg:brand b:aurra ;", "kg:brand b:aurora ;", "Correct the name."),
    Code(
        "R425",
        "The segment is not known",
        "kg:forSegment s:runner ;",
        "kg:forSegment s:runners ;",
        "Correct the name.",
    ),
    Code(
        "R426",
        "Two rules say the same",
        "r:x a kg:Irrelevant ; kg:attribute a:care .\nr:y a kg:Irrelevant ; kg:attribute a:care .",
        "r:x a kg:Irrelevant ; kg:attribute a:care .",
        "Keep one: twice written is not twice as sure.",
    ),
    Code(
        "W427",
        "A share is bounded twice in one place",
        "r:x a kg:AtLeast ; kg:share 0.1 .\nr:y a kg:AtLeast ; kg:share 0.2 .",
        "r:y a kg:AtLeast ; kg:share 0.2 .",
        "Keep the stricter one.",
    ),
    Code(
        "R428",
        "The rule's attribute does not exist",
        "kg:attribute a:colr ;",
        "kg:attribute a:color ;",
        "Correct the name.",
    ),
    Code(
        "R429",
        "An attribute that has no more and less",
        "r:x a kg:Monotone ; kg:attribute a:color .",
        "r:x a kg:Monotone ; kg:attribute a:price .",
        "Take a Number or an Ordered attribute.",
    ),
    Code(
        "R430",
        "More and less are both better",
        "kg:attribute a:price ; kg:better kg:More .\nkg:attribute a:price ; kg:better kg:Less .",
        "kg:attribute a:price ; kg:better kg:Less .",
        "Keep one.",
    ),
    Code(
        "R431",
        "At least above at most",
        "r:x a kg:AtLeast ; kg:share 0.4 .\nr:y a kg:AtMost ; kg:share 0.25 .",
        "r:x a kg:AtLeast ; kg:share 0.2 .\nr:y a kg:AtMost ; kg:share 0.25 .",
        "Lower the one or raise the other.",
    ),
    Code(
        "R432",
        "The least shares add up to more than 1",
        "kg:share 0.5 .\nkg:share 0.6 .",
        "kg:share 0.3 .\nkg:share 0.4 .",
        "Lower some of them. Rules of categories above count, and an order lifts what stands before.",
    ),
    Code(
        "R433",
        "An order against the bounds",
        "kg:order ( a:size a:color ) .  # size at most 0.1, color at least 0.15",
        "kg:order ( a:color a:size ) .",
        "Change the order or the bounds.",
    ),
    Code(
        "R434",
        "The order goes in a circle",
        "kg:order ( a:size a:color ) .\nkg:order ( a:color a:size ) .",
        "kg:order ( a:size a:color ) .",
        "Turn one of the rules round.",
    ),
    Code(
        "R435",
        "Two conditions contradict each other",
        "r:x a kg:Implies ; kg:if [ … v:leather ] ; kg:then [ … false ] .\n"
        "r:y a kg:Excludes ; kg:if [ … v:leather ] ; kg:then [ … false ] .",
        "r:x a kg:Implies ; kg:if [ … v:leather ] ; kg:then [ … false ] .",
        "Change one of them.",
    ),
    Code(
        "R436",
        "The greatest shares add up to less than 1",
        "# every attribute of the category at most 0.1",
        "",
        "Raise some of them.",
    ),
    Code(
        "W437",
        "More conflicts in a category than are named",
        "# thousands of rules about one category, many of them in conflict",
        "",
        "Mend those that are named, then check again.",
    ),
    Code(
        "R438",
        "The preferred values go in a circle",
        "kg:values ( v:red v:navy ) .\nkg:values ( v:navy v:red ) .",
        "kg:values ( v:red v:navy ) .",
        "Turn one of the rules round.",
    ),
    Code(
        "R440",
        "A condition on a value that the attribute does not have",
        "[ kg:attribute a:material ; kg:value v:navy ]",
        "[ kg:attribute a:material ; kg:value v:leather ]",
        "Use one of the values that are listed.",
    ),
    Code(
        "R441",
        "A yes or no that is neither",
        '[ kg:attribute a:waterproof ; kg:value "no" ]',
        "[ kg:attribute a:waterproof ; kg:value false ]",
        "Write true or false, without quotes.",
    ),
    Code(
        "R442",
        "A condition that needs a number, or has none",
        '[ kg:attribute a:weight ; kg:value "300 g" ]',
        "[ kg:attribute a:weight ; kg:value 300 ]",
        "Write the bare number, in the attribute's unit.",
    ),
    Code(
        "R443",
        "A number outside the attribute's range",
        "[ kg:attribute a:weight ; kg:max 0.3 ]  # 50–3000 g",
        "[ kg:attribute a:weight ; kg:max 300 ]",
        "Check the unit.",
    ),
    Code(
        "R444",
        "An incomplete condition",
        "kg:if [ kg:attribute a:material ] ;",
        "kg:if [ kg:attribute a:material ; kg:value v:leather ] ;",
        "Say the attribute, and a value or a range.",
    ),
    Code(
        "R445",
        "`kg:top` is not a whole number from 1",
        'kg:top "ten" ;',
        "kg:top 10 ;",
        "Write the number of places.",
    ),
    Code(
        "R446",
        "`kg:better` is neither More nor Less",
        "kg:better kg:Higher ;",
        "kg:better kg:More ;",
        "Write kg:More or kg:Less.",
    ),
    Code(
        "L501",
        "Spaces too many in a name",
        'skos:prefLabel "Heel  height"@en ;',
        'skos:prefLabel "Heel height"@en ;',
        "Write the name with single spaces.",
    ),
    Code(
        "L502",
        "Two things of one kind share a synonym",
        'a:color … skos:altLabel "Shade"@en .\na:tone … skos:prefLabel "Shade"@en .',
        'a:color … skos:prefLabel "Color"@en .\na:tone … skos:prefLabel "Shade"@en .',
        "Take the word from one of the two, or merge them. Shoppers who search for it mean only one.",
    ),
    Code(
        "L503",
        "Every category below adds an attribute, the one above does not",
        "c:boots … kg:recommends a:heel .\nc:pumps … kg:recommends a:heel .",
        "c:shoes … kg:recommends a:heel .",
        "Move it up; what is below inherits it.",
    ),
    Code(
        "L504",
        "A category has an attribute and the one whose values it takes",
        "c:shoes … kg:recommends a:color , a:sole-color .",
        "c:shoes … kg:recommends a:sole-color ; kg:drops a:color .",
        "Keep both only if an item really has both.",
    ),
    Code(
        "L505",
        "Two attributes have nearly the same values",
        "a:fabric … kg:values ( v:cotton v:silk v:wool ) .\na:cloth … kg:values ( v:cotton v:silk v:wool ) .",
        "r:one-cloth a kg:SameAs ; kg:members ( a:fabric a:cloth ) … .",
        "If they mean the same, say so with a kg:SameAs rule; if one takes the values of the other, write "
        "kg:valuesOf.",
    ),
)

_CHAPTERS = {"P": "Files", "O": "Things", "R": "Rules", "L": "Advice"}
_INTRODUCTION = """# Codes of `kgrank ontology check` and `lint`

<!-- Generated from kgrank/ontology/check/codes.py; a test keeps it current. -->

A message reads `file:line:column: CODE what is wrong. What to do.` The first letter says of what it speaks:
P a file, O a thing, R a rule; W is a warning, and L is advice that `lint` gives. A conflict between rules is
an error where all of them are hard, else a warning that names the rule that yields.
"""


def page() -> str:
    """The documentation page of all codes, in Markdown."""
    parts = [_INTRODUCTION]
    for letter, chapter in _CHAPTERS.items():
        parts.append(f"## {chapter}\n")
        parts += [_section(code) for code in CODES if _chapter(code) == letter]
    return "\n".join(parts)


def _chapter(code: Code) -> str:
    """Warnings are sorted by their subject: W1 to W3 are terms, W4 are rules."""
    if code.code[0] != "W":
        return code.code[0]
    return "R" if code.code[1] == "4" else "O"


def _section(code: Code) -> str:
    text = f"### {code.code}: {code.title}\n\n{code.todo}\n"
    for word, example in (("Bad", code.bad), ("Good", code.good)):
        if example:
            text += f"\n{word}:\n\n```turtle\n{example}\n```\n"
    return text


if __name__ == "__main__":
    sys.stdout.write(page())
