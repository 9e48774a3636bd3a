"""SASRec by RecTools, as a program of its own: RecTools needs an older NumPy than kgrank.

    python -m venv sasrec; sasrec/bin/pip install "rectools[torch]"
    python benchmarks/recommend.py --data DIR --peers --sasrec sasrec/bin/python

``recommend.py`` calls it with two files: what to learn from, and where the first items for each history go.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FIRST = 10


def interactions(item: np.ndarray, start: np.ndarray) -> pd.DataFrame:
    """Items of people in order as RecTools wants them; the place in the sequence is the day."""
    import numpy as np
    import pandas as pd
    from rectools import Columns

    person = np.repeat(np.arange(len(start) - 1), np.diff(start))
    place = np.arange(len(item)) - start[person]
    return pd.DataFrame(
        {
            Columns.User: person,
            Columns.Item: item,
            Columns.Weight: 1.0,
            Columns.Datetime: pd.Timestamp("2000-01-01") + pd.to_timedelta(place, unit="D"),
        }
    )


def main() -> None:
    """Learns, and writes (people, 10) item numbers, -1 where there are fewer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("given", help="numbers of items and people, written by recommend.py")
    parser.add_argument("found", help="where the first items for each history go")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # After the options, so that --help needs no RecTools.
    import numpy as np
    import torch
    from pytorch_lightning import Trainer, seed_everything
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    warnings.filterwarnings("ignore")
    seed_everything(options.seed)
    torch.set_num_threads(2)
    given = np.load(options.given)

    def trainer() -> Trainer:
        return Trainer(
            max_epochs=options.epochs,
            accelerator="cpu",
            enable_progress_bar=False,
            logger=False,
            enable_checkpointing=False,
        )

    model = SASRecModel(
        n_blocks=2,
        n_heads=1,
        n_factors=64,
        dropout_rate=0.3,
        session_max_len=20,
        loss="sampled_softmax",
        n_negatives=128,
        batch_size=128,
        epochs=options.epochs,
        lr=1e-3,
        get_trainer_func=trainer,
    )
    model.fit(Dataset.construct(interactions(given["train_item"], given["train_start"])))
    histories = interactions(given["item"], given["start"])
    found = model.recommend(
        histories[Columns.User].unique(), Dataset.construct(histories), k=FIRST, filter_viewed=True
    )
    first = np.full((len(given["start"]) - 1, FIRST), -1)
    first[found[Columns.User], found[Columns.Rank] - 1] = found[Columns.Item]
    np.save(options.found, first)


if __name__ == "__main__":
    main()
