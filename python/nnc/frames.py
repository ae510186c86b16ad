"""Columns of pandas and polars as arrays: names become numbers, and missing values are errors."""

import numpy

_FRAMES = ("pandas", "polars")


def is_of_a_frame(values):
    """Whether the values are a data frame or a column of one."""
    return type(values).__module__.split(".")[0] in _FRAMES


def array(values):
    """The numbers of a frame or column as an array, for a prediction."""
    return numpy.asarray(values) if is_of_a_frame(values) else values


def fields(program, data, rows):
    """The fields of a data item out of a dictionary or a data frame: arrays by field, and names of classes by field."""
    if is_of_a_frame(rows) and hasattr(rows, "columns"):
        rows = {str(column): rows[column] for column in rows.columns}
    if not hasattr(rows, "items"):
        raise TypeError(f"`{data}` is given by a dictionary of arrays or a data frame, not by {type(rows).__name__}")
    arrays, names = {}, {}
    for field, values in rows.items():
        found = _column(program, data, str(field), values)
        arrays[str(field)], of_classes = found
        if of_classes is not None:
            names[str(field)] = of_classes
    return arrays, names


def _column(program, data, field, values):
    """An array, and the names that its numbers stand for, if they stand for names."""
    is_framed = is_of_a_frame(values)
    if is_framed and hasattr(values, "columns"):
        columns = [_numbers(program, data, field, values[column]) for column in values.columns]
        return numpy.stack(columns, axis=1), None
    if not is_framed:
        values = values if hasattr(values, "__dlpack__") else numpy.asarray(values)
        if getattr(getattr(values, "dtype", None), "kind", "f") not in "USOT":
            return values, None
    names = _categories(values)
    if names is None:
        return _numbers(program, data, field, values), None
    missing, numbers = _numbered(values, names)
    _check_missing(program, data, field, missing)
    most = program.classes_of(data, field)
    if most is None or len(names) > most:
        raise program.odd_names(data, field, [str(name) for name in names])
    return numbers, names


def _numbers(program, data, field, column):
    _check_missing(program, data, field, numpy.asarray(_missing(column), dtype=bool))
    if _categories(column) is not None:
        raise program.odd_names(data, field, [str(name) for name in _categories(column)])
    kind = getattr(getattr(column, "dtype", None), "kind", "")
    found = numpy.asarray(column)
    if found.dtype.kind == "O" and kind in "fiub":
        # Columns of pandas that could have missing values, and have none.
        found = found.astype({"f": numpy.float64, "b": numpy.bool_}.get(kind, numpy.int64))
    if found.dtype.kind not in "fiub":
        raise program.odd_type(data, field, f"values of type {column.dtype}")
    return found


def _categories(column):
    """The names of a column, in the order of their numbers; None if it has numbers."""
    if hasattr(column, "cat") and hasattr(column.cat, "categories"):  # pandas
        names = list(column.cat.categories)
        return names if all(isinstance(name, str) for name in names) else None
    if hasattr(column, "cat") and str(column.dtype).startswith(("Categorical", "Enum")):  # polars
        if str(column.dtype).startswith("Enum"):
            return list(column.dtype.categories)
        return sorted(name for name in column.unique().to_list() if name is not None)
    values = column.to_list() if hasattr(column, "to_list") else list(column)
    present = [value for value, missing in zip(values, _missing(column)) if not missing]
    if present and all(isinstance(value, str) for value in present):
        return sorted(set(str(value) for value in present))
    return None


def _numbered(values, names):
    number = {name: at for at, name in enumerate(names)}
    listed = values.to_list() if hasattr(values, "to_list") else list(values)
    numbers = [number.get(value, -1) if isinstance(value, str) else -1 for value in listed]
    numbers = numpy.array(numbers, dtype=numpy.int32)
    return numbers < 0, numbers


def _missing(column):
    """For each value whether there is none."""
    if hasattr(column, "isna"):
        return column.isna().to_numpy()
    if hasattr(column, "is_null"):
        missing = column.is_null().to_numpy()
        is_float = str(column.dtype).startswith("Float")
        return missing | column.is_nan().fill_null(True).to_numpy() if is_float else missing
    return numpy.array([value is None or value != value for value in column], dtype=bool)


def _check_missing(program, data, field, missing):
    if missing.any():
        raise program.missing(data, field, int(missing.sum()), int(missing.argmax()))
