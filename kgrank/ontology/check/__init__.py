"""Finds what is wrong with an ontology, and says where, why and what to do."""

from kgrank.ontology.check.folder import Examination, check_folder, examine
from kgrank.ontology.check.messages import Message

__all__ = ["Examination", "Message", "check_folder", "examine"]
