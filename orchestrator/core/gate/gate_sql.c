#include "core/gate/gate_sql.h"

bool gate_sql(struct arena *a UNUSED, const struct gate_sql_context *c, struct findings *found,
              struct err *e UNUSED)
{
    found->default_schema = c->default_schema;
    return true;
}
