"""The contract of a converter, as a class of tests: inherit from it and say what to convert."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import inspect
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.onnx.session import open_session
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Source
from jupyter_mlstudio.programs.convert import read_manifest
from jupyter_mlstudio.programs.ladder import climb


class ConverterContract(ABC):
    """What every converter must do.

    A sub-class gives ``converter`` and writes a model with sample rows into a folder in :meth:`write`. Its name begins
    with ``Test``, so that pytest collects it.
    """

    converter: type[Converter]
    _written: Path

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Writes the files of a model that converts, with its sample rows, as they would be registered."""

    @pytest.fixture
    def source(self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
        """The model's files, written once for all tests and copied for each."""
        kind = type(self)
        if "_written" not in vars(kind):
            written = tmp_path_factory.mktemp("written")
            self.write(written)
            kind._written = written
        folder = tmp_path / "native"
        shutil.copytree(kind._written, folder)
        return Source(folder, read_manifest(folder))

    @pytest.fixture
    def original(self, source: Source) -> Original:
        return self.converter().load(source)

    @pytest.fixture
    def converted(self, original: Original) -> Converted:
        for dtype in self.converter.dtypes:
            try:
                return self.converter().convert(original, dtype)
            except Invalid:
                continue
        raise AssertionError("it converts with none of its number types")

    def test_it_has_a_name_and_number_types(self) -> None:
        assert self.converter.name
        assert self.converter.dtypes

    def test_it_accepts_its_own_files_and_no_others(self, source: Source, tmp_path: Path) -> None:
        assert self.converter().accepts(source)
        strange = tmp_path / "strange"
        strange.mkdir()
        assert not self.converter().accepts(Source(strange))
        (strange / "model.pkl").write_bytes(b"no pickle: whoever loads it fails")
        assert not self.converter().accepts(Source(strange))
        assert not self.converter().accepts(Source(strange, {"kind": "something else", "file": "model.pkl"}))

    def test_a_missing_file_is_said(self, source: Source) -> None:
        name = str(source.manifest.get("file") or next(source.folder.iterdir()).name)
        (source.folder / name).unlink()
        with pytest.raises(Invalid, match=r".") as caught:
            self.converter().load(source)
        assert str(source.folder) not in caught.value.message

    def test_what_it_makes_is_one_valid_file_that_loads(self, converted: Converted) -> None:
        facts = inspect(converted.onnx)
        open_session(converted.onnx)
        assert {spec.onnx_name or spec.name for spec in converted.signature.inputs} == set(facts.inputs)
        assert {spec.onnx_name or spec.name for spec in converted.signature.outputs} <= set(facts.outputs)

    def test_the_sample_can_be_sent_as_the_signature_says(self, original: Original, converted: Converted) -> None:
        import msgspec

        protocol = Protocol(converted.signature, "m", "1")
        read = protocol.read(msgspec.json.encode(request(converted.signature, original.rows)))
        assert read.rows == len(original.rows)

    def test_it_answers_like_the_original_and_does_not_change_its_files(self, source: Source) -> None:
        before = {path: path.read_bytes() for path in source.folder.rglob("*") if path.is_file()}
        outcome = climb(self.converter(), self.converter().load(source))
        assert outcome.conversion.ready, outcome.conversion.reason
        assert outcome.onnx is not None
        assert {path: path.read_bytes() for path in source.folder.rglob("*") if path.is_file()} == before

    def test_converting_twice_gives_the_same(self, original: Original) -> None:
        first, second = (climb(self.converter(), original).conversion for _ in range(2))
        assert first.parity == second.parity
        assert first.signature == second.signature
