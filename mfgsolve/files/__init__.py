"""Files of the package: NetCDF, whole or not at all, and nothing believed before it is checked.

`netcdf` writes and reads, `declared` holds sizes against memory, `seals` finds damage, `schema` checks layout and
ranges.
"""

from mfgsolve.files.netcdf import (
    SCHEMA,
    file_kind,
    open_netcdf,
    plain,
    read_dataset,
    regular,
    replace_file,
    told,
    usable,
    write_dataset,
)

__all__ = [
    "SCHEMA", "file_kind", "open_netcdf", "plain", "read_dataset", "regular", "replace_file", "told", "usable",
    "write_dataset",
]  # fmt: skip
