/*
 * gate_type.h - the type of a column in words, to compare what the SQL says with the catalog.
 */
#ifndef MIGSAFE_CORE_GATE_TYPE_H
#define MIGSAFE_CORE_GATE_TYPE_H

#include "base/str.h"
#include "ext/json.h"

/* Of a TypeName node, as format_type() writes it ("character varying(191)", "integer[]"), but
 * without quotes; what serial stands for.  In the arena; "" when the node is none. */
const char *gate_type_text(struct arena *a, const struct json *type_name) RETURNS_NONNULL;
/* Without quotes and default schema.  NULL is no type and equals none. */
bool gate_type_same(const char *a, const char *b, const char *default_schema);

#endif
