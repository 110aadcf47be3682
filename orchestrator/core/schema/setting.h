/*
 * setting.h - a stored setting ("search_path=a, \"B\"", as pg_db_role_setting has
 * it) back as SQL.
 */
#ifndef MIGSAFE_CORE_SCHEMA_SETTING_H
#define MIGSAFE_CORE_SCHEMA_SETTING_H

#include "base/str.h"

/* What follows "SET name TO": a literal, or several for a setting that is a list of names. */
char *setting_value(struct arena *a, const char *name, const char *value) RETURNS_NONNULL;

#endif
