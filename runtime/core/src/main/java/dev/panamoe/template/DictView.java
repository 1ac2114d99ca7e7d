package dev.panamoe.template;

import java.util.List;

/// What `keys()`, `values()` and `items()` of a dict give: it has a length and can be iterated, but has no indexes.
///
/// @param type the name of the Python type, such as `dict_items`
record DictView(String type, List<Object> items) {}
