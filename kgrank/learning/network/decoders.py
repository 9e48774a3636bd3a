"""A decoder for each category: a softmax over its items from a person's coordinates, with a ridge."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse

from kgrank.arrays import Floats
from kgrank.learning.network.purchase_graph import PurchaseGraph

STEPS = 15
"""Steps of L-BFGS; the scaled problem needs no more."""


def train_decoders(
    graph: PurchaseGraph,
    vectors: Floats,
    mean: Floats,
    *,
    width: int,
    ridge: float,
    device: torch.device | str = "cpu",
) -> Floats:
    """Decoders by maximum likelihood; a person's coordinates never use purchases in the decoded category.

    Args:
        graph: Purchases.
        vectors: (items, all coordinates) of the items as parts of a history.
        mean: (all coordinates,) of all persons.
        width: Coordinates that are decoded.
        ridge: Precision of a decoder's weights, for coordinates of variance 1.
        device: Where the sums are computed.

    Returns:
        (items, width) logits for one unit of each coordinate of a person; zeros for items that nobody bought.
    """
    histories = graph.histories.tocsc()
    counts = sparse.csc_matrix((np.ones(len(graph.item)), (graph.person, graph.item)), shape=histories.shape)
    total = histories @ vectors
    decoders = np.zeros((graph.items, width))
    order = np.argsort(graph.category, kind="stable")
    for items in np.split(order, np.flatnonzero(np.diff(graph.category[order])) + 1):
        items = items[graph.buyers[items] > 0]
        if len(items) < 2:
            continue
        inside, bought = histories[:, items].tocsr(), counts[:, items].tocsr()
        left = graph.lengths**2 - np.asarray(inside.multiply(inside).sum(1)).ravel()
        buyers = np.flatnonzero((np.diff(bought.indptr) > 0) & (left > 1e-9))
        if len(buyers) < 2:
            continue
        outside = total[buyers] - inside[buyers] @ vectors[items]
        person = unit(outside / np.sqrt(left[buyers])[:, None] - mean)[:, :width]
        sold = bought[buyers].getnnz(0) > 0
        items, taken = items[sold], bought[buyers][:, sold]
        decoders[items] = _softmax(person, taken, ridge, device)
    return decoders


def unit(x: Floats) -> Floats:
    """Rows at length 1; those of length 0 stay."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    scaled: Floats = np.divide(x, length, out=np.zeros_like(x), where=length > 1e-12)
    return scaled


def _softmax(person: Floats, bought: sparse.csr_matrix, ridge: float, device: torch.device | str) -> Floats:
    """(items, width) weights of one category, beside a constant for each item that is not kept."""
    scale = np.maximum(np.sqrt((person**2).mean(0)), 1e-12)
    x = torch.from_numpy(person / scale).float().to(device)
    taken = bought.tocoo()
    row, item = (torch.from_numpy(index.astype(np.int64)).to(device) for index in (taken.row, taken.col))
    each = torch.from_numpy(np.asarray(bought.sum(1)).ravel()).float().to(device)
    share = np.asarray(bought.sum(0)).ravel()
    start = torch.from_numpy(np.log(share / share.sum())).float().to(device)
    # An item's curvature is about its purchases: so scaled, all parameters have a curvature of about 1.
    step = torch.from_numpy(1 / np.sqrt(share + ridge)).float().to(device)[:, None]
    parameters = torch.zeros(len(share), person.shape[1] + 1, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [parameters], max_iter=STEPS, history_size=STEPS, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        values = parameters * step
        logits = x @ values[:, :-1].T + values[:, -1] + start
        fit = each @ torch.logsumexp(logits, 1) - logits[row, item].sum()
        penalised = fit + 0.5 * ridge * values.square().sum()
        penalised.backward()  # type: ignore[no-untyped-call]
        return penalised

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    values: Floats = (parameters * step).detach().cpu().double().numpy()
    return np.asarray(values[:, :-1] / scale)
