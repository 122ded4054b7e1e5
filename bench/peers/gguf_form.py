"""Another form of a GGUF file: its matrices of Q4_1 in blocks of another kind, all else as it lies there.

Called as ``gguf_form.py SOURCE TARGET KIND VERSION``. The embedding, which such a file has in Q8_0, and the norms are
copied. VERSION is the one of the ``gguf`` package that is wanted: another one may round differently.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, Keys, LlamaFileType
from gguf.quants import dequantize, quantize

#: What a file says that it mostly is.
FILE_TYPES = {"Q4_0": LlamaFileType.MOSTLY_Q4_0, "Q8_0": LlamaFileType.MOSTLY_Q8_0}


def copy_metadata(reader: GGUFReader, writer: GGUFWriter, kind: str) -> None:
    """Copy every field but those that the writer writes itself and what names the form."""
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == Keys.General.ARCHITECTURE:
            continue
        if field.name == Keys.General.FILE_TYPE:
            writer.add_file_type(FILE_TYPES[kind])
            continue
        of = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=of)


def copy_tensors(reader: GGUFReader, writer: GGUFWriter, kind: GGMLQuantizationType) -> int:
    """Add every tensor, those of Q4_1 by way of single precision; returns how many those are."""
    made = 0
    for tensor in reader.tensors:
        data, own = tensor.data, tensor.tensor_type
        if own == GGMLQuantizationType.Q4_1:
            data, own = quantize(dequantize(data, own), kind), kind
            made += 1
        writer.add_tensor(tensor.name, data, raw_dtype=own)
    return made


def main() -> None:
    """Write TARGET."""
    source, target, kind, wanted = sys.argv[1:]
    if version("gguf") != wanted:
        raise SystemExit(f"gguf {wanted} is wanted, {version('gguf')} is there")
    reader = GGUFReader(source)
    architecture = reader.fields[Keys.General.ARCHITECTURE].contents()
    writer = GGUFWriter(target, architecture)
    writer.data_alignment = reader.alignment
    copy_metadata(reader, writer, kind)
    if copy_tensors(reader, writer, GGMLQuantizationType[kind]) == 0:
        raise SystemExit(f"{source} has no tensor of Q4_1")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
