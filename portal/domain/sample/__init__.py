"""Invented billing requests for demos, tests and benches: the same for the same seed, anywhere.

Pure: chance comes from a small generator of our own, so no version of Python changes a sample.
Every faulty row says which fault it was given; docs/intake-format.md describes the file.
"""

from portal.domain.sample.file import SampleFile, SampleRow, sample_file, sample_rows

__all__ = ["SampleFile", "SampleRow", "sample_file", "sample_rows"]
