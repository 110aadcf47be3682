#include "core/restore/roles.h"

#include "tap.h"

TEST(roles_that_a_statement_names)
{
    static const struct {
        const char *sql, *names;
    } cases[] = {
        {"GRANT SELECT ON TABLE public.t TO reader;\n", "reader"},
        {"GRANT ALL ON TABLE public.t TO PUBLIC;\n", ""},
        {"REVOKE ALL ON TABLE public.\"to x\" FROM \"A \"\"b\"\"\";\nGRANT "
         "SELECT(a),UPDATE(\"to\") ON"
         " TABLE public.role TO c WITH GRANT OPTION;\n",
         "A \"b\",c"},
        {"SET SESSION AUTHORIZATION one;\nGRANT USAGE ON SCHEMA s TO two;\nRESET SESSION"
         " AUTHORIZATION;\n",
         "one,two"},
        {"ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA public GRANT SELECT ON TABLES  TO"
         " reader;\n",
         "maker,reader"},
        {"CREATE POLICY p ON public.t FOR SELECT TO one, \"two\", PUBLIC, three USING ((a = ( "
         "SELECT"
         " 'TO x' FROM b)));\n",
         "one,two,three"},
        {"CREATE POLICY \"TO me\" ON public.t USING (true);\n", ""},
        {"GRANT EXECUTE ON FUNCTION public.f(a role, VARIADIC b text[]) TO \xC3\xA9t\xC3\xA9;\n",
         "\xC3\xA9t\xC3\xA9"},
        {"", ""},
        {"GRANT SELECT ON t TO \"open", "open"},
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strlist names = strlist_on(a);
        roles_of_statement(&names, cases[i].sql);
        CHECK_STR(strlist_join(&names, ","), cases[i].names);
    }
}
