/* report_draw.c - see report.h: bars on a terminal, and a picture.
 * A picture must be read by people who do not see it: all that it shows is
 * said in its description, too. */
#include <stdlib.h>
#include <string.h>

#include "cli/out_text.h"
#include "cli/report.h"

#define BAR_CELLS 10
#define EIGHTHS 8

#define WIDTH 800
#define MARGIN 16
#define LABEL_LETTERS 32 /* of a label; what is longer is cut */
#define FIGURES_LETTERS 32
#define BAR_HEIGHT 18
#define ROW_HEIGHT 26
#define LINE_HEIGHT 18
#define LEGEND_SIDE 12
#define LETTER 8           /* about the width of one */
#define REMARK_LETTERS 105 /* of a line below the picture */

/* Told apart by people who do not see all colours. */
static const char *const colours[REPORT_PARTS_MAX] = {
    "#0072b2", "#56b4e9", "#d55e00", "#999999", "#e69f00", "#cc79a7",
};

void report_put_bar(struct ent_buf *buf, double share)
{
    static const char *const parts[EIGHTHS] = {"",  "▏", "▎", "▍",
                                               "▌", "▋", "▊", "▉"};
    int eighths;

    if (!(share > 0))
        return;
    share = share > 1 ? 1 : share;
    eighths = (int)(share * BAR_CELLS * EIGHTHS + 0.5);
    eighths = eighths == 0 ? 1 : eighths; /* little is not nothing */
    for (int i = 0; i < eighths / EIGHTHS; i++)
        ent_buf_put_str(buf, "█");
    ent_buf_put_str(buf, parts[eighths % EIGHTHS]);
}

/* -------------------------------------------------------------------- text */

/* U+FFFE and U+FFFF are characters everywhere but in XML. */
static bool is_no_xml(const char *at)
{
    return strncmp(at, "\xef\xbf\xbe", 3) == 0 ||
           strncmp(at, "\xef\xbf\xbf", 3) == 0;
}

static void put_escaped(struct ent_buf *buf, const char *at)
{
    for (; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            ent_buf_put_str(buf, "&amp;");
            break;
        case '<':
            ent_buf_put_str(buf, "&lt;");
            break;
        case '>':
            ent_buf_put_str(buf, "&gt;");
            break;
        case '"':
            ent_buf_put_str(buf, "&quot;");
            break;
        case '\'':
            ent_buf_put_str(buf, "&#39;");
            break;
        default:
            if (is_no_xml(at)) {
                ent_buf_put_str(buf, "?");
                at += 2;
                break;
            }
            ent_buf_put_u8(buf, (uint8_t)*at);
        }
    }
}

/* Text from anywhere, as text in XML. */
static void put_text(struct ent_buf *buf, const char *text)
{
    struct ent_buf safe = {0};
    const char *at;

    out_show(&safe, text);
    at = ent_buf_cstr(&safe);
    if (at == NULL)
        buf->rc = safe.rc;
    else
        put_escaped(buf, at);
    ent_buf_fini(&safe);
}

static int letters(const char *text)
{
    return (int)out_width(text, NULL);
}

/* The text, or as much of it as there is room for. */
static void put_cut(struct ent_buf *buf, const char *text, size_t most)
{
    struct ent_buf safe = {0};
    struct ent_buf lines = {0};
    const char *at;

    out_show(&safe, text);
    at = ent_buf_cstr(&safe);
    if (at != NULL && out_width(at, NULL) > most) {
        out_wrap(&lines, at, most - 1);
        at = ent_buf_cstr(&lines);
        if (at != NULL)
            lines.at[strcspn(at, "\n")] = '\0';
    }
    if (at == NULL)
        buf->rc = ENT_ENOMEM;
    else
        put_escaped(buf, at);
    if (lines.len > 0)
        ent_buf_put_str(buf, "…");
    ent_buf_fini(&safe);
    ent_buf_fini(&lines);
}

/* ------------------------------------------------------------------ values */

struct picture {
    const struct cmd_ctx *ctx;
    const struct report_rows *rows;
    const struct report_chart *chart;
    struct ent_buf *buf;
    double longest; /* the longest bar */
    int label_width;
    int bar_width;
    int y;
};

static double part_of(const struct picture *picture, size_t row, size_t part)
{
    const char *text =
        report_cell(picture->rows, row, picture->chart->parts[part])->text;
    double value = text == NULL ? 0 : strtod(text, NULL);

    return value > 0 ? value : 0;
}

static const char *part_text(const struct picture *picture, size_t row,
                             size_t part)
{
    const char *text =
        report_cell(picture->rows, row, picture->chart->parts[part])->text;

    return text == NULL ? "0" : text;
}

static const char *part_label(const struct picture *picture, size_t part)
{
    return picture->rows->columns[picture->chart->parts[part]].label;
}

static const char *row_label(const struct picture *picture, size_t row)
{
    const char *text =
        report_cell(picture->rows, row, picture->chart->label)->text;

    text = report_said(picture->ctx,
                       &picture->rows->columns[picture->chart->label], text);
    return text == NULL ? "–" : text;
}

static int at_most(int letters, int most)
{
    return letters > most ? most : letters;
}

/* "4 / 0 / 3" */
static void put_figures(const struct picture *picture, size_t row,
                        struct ent_buf *buf)
{
    for (size_t i = 0; i < picture->chart->part_count; i++) {
        ent_buf_put_str(buf, i == 0 ? "" : " / ");
        ent_buf_put_str(buf, part_text(picture, row, i));
    }
}

/* Labels and figures take what they need, bars the rest. */
static void measure(struct picture *picture)
{
    struct ent_buf figures = {0};
    int label = 0;
    int figure = 0;

    for (size_t i = 0; i < picture->rows->count; i++) {
        double sum = 0;

        if (report_is_total(picture->rows, i))
            continue;
        for (size_t j = 0; j < picture->chart->part_count; j++)
            sum += part_of(picture, i, j);
        picture->longest = sum > picture->longest ? sum : picture->longest;
        ent_buf_reset(&figures);
        put_figures(picture, i, &figures);
        if (letters(row_label(picture, i)) > label)
            label = letters(row_label(picture, i));
        if (figures.rc == 0 && letters(ent_buf_cstr(&figures)) > figure)
            figure = letters(ent_buf_cstr(&figures));
    }
    ent_buf_fini(&figures);
    picture->label_width = at_most(label, LABEL_LETTERS) * LETTER + LETTER;
    picture->bar_width = WIDTH - 2 * MARGIN - picture->label_width -
                         at_most(figure, FIGURES_LETTERS) * LETTER - LETTER;
}

/* ----------------------------------------------------------------- drawing */

/* "BDI: Done 4, Overdue 1." for each row, those of totals too. */
static void put_words(const struct picture *picture)
{
    for (size_t i = 0; i < picture->rows->count; i++) {
        ent_buf_put_u8(picture->buf, ' ');
        put_text(picture->buf, row_label(picture, i));
        for (size_t j = 0; j < picture->chart->part_count; j++) {
            ent_buf_put_str(picture->buf, j == 0 ? _(": ") : ", ");
            put_text(picture->buf, part_label(picture, j));
            ent_buf_put_u8(picture->buf, ' ');
            put_text(picture->buf, part_text(picture, i, j));
        }
        ent_buf_put_u8(picture->buf, '.');
    }
}

static void put_legend(struct picture *picture)
{
    int x = MARGIN;

    for (size_t i = 0; i < picture->chart->part_count; i++) {
        const char *label = part_label(picture, i);
        int width = LEGEND_SIDE + 6 + letters(label) * LETTER + MARGIN;

        if (x > MARGIN && x + width > WIDTH - MARGIN) {
            x = MARGIN;
            picture->y += LINE_HEIGHT;
        }
        ent_buf_printf(picture->buf,
                       "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\""
                       " fill=\"%s\"/>\n<text x=\"%d\" y=\"%d\">",
                       x, picture->y - LEGEND_SIDE + 2, LEGEND_SIDE,
                       LEGEND_SIDE, colours[i], x + LEGEND_SIDE + 6,
                       picture->y);
        put_text(picture->buf, label);
        ent_buf_put_str(picture->buf, "</text>\n");
        x += width;
    }
    picture->y += LINE_HEIGHT;
}

static void put_bar(const struct picture *picture, size_t row)
{
    double sum = 0;
    int x = MARGIN + picture->label_width;

    for (size_t i = 0; i < picture->chart->part_count; i++) {
        int from = (int)(sum / picture->longest * picture->bar_width + 0.5);
        int to;

        sum += part_of(picture, row, i);
        to = (int)(sum / picture->longest * picture->bar_width + 0.5);
        if (to == from)
            continue;
        ent_buf_printf(picture->buf,
                       "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\""
                       " fill=\"%s\"><title>",
                       x + from, picture->y, to - from, BAR_HEIGHT, colours[i]);
        put_text(picture->buf, part_label(picture, i));
        ent_buf_put_str(picture->buf, _(": "));
        put_text(picture->buf, part_text(picture, row, i));
        ent_buf_put_str(picture->buf, "</title></rect>\n");
    }
}

/* The figures stand behind the bar, in the order of the legend: colours are
 * not needed to read them. */
static void put_row(struct picture *picture, size_t row)
{
    int base = picture->y + BAR_HEIGHT - 5;
    struct ent_buf figures = {0};

    ent_buf_printf(picture->buf, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
                   MARGIN + picture->label_width - LETTER, base);
    put_cut(picture->buf, row_label(picture, row), LABEL_LETTERS);
    ent_buf_put_str(picture->buf, "</text>\n");
    if (picture->longest > 0)
        put_bar(picture, row);
    ent_buf_printf(picture->buf, "<text x=\"%d\" y=\"%d\">",
                   MARGIN + picture->label_width + picture->bar_width + LETTER,
                   base);
    put_figures(picture, row, &figures);
    if (figures.rc < 0)
        picture->buf->rc = figures.rc;
    else
        put_cut(picture->buf, ent_buf_cstr(&figures), FIGURES_LETTERS);
    ent_buf_fini(&figures);
    ent_buf_put_str(picture->buf, "</text>\n");
    picture->y += ROW_HEIGHT;
}

static void put_small(struct picture *picture, struct ent_slice text)
{
    struct ent_buf line = {0};

    ent_buf_put_slice(&line, text);
    ent_buf_printf(picture->buf,
                   "<text x=\"%d\" y=\"%d\" font-size=\"12\""
                   " fill=\"#444444\">",
                   MARGIN, picture->y + LINE_HEIGHT);
    if (ent_buf_cstr(&line) == NULL)
        picture->buf->rc = line.rc;
    else
        put_escaped(picture->buf, ent_buf_cstr(&line));
    ent_buf_put_str(picture->buf, "</text>\n");
    ent_buf_fini(&line);
    picture->y += LINE_HEIGHT;
}

static struct ent_slice next_line(const char **text)
{
    size_t len = strcspn(*text, "\n");
    struct ent_slice line = ent_slice((const uint8_t *)*text, len);

    *text += len + ((*text)[len] == '\n');
    return line;
}

/* Nothing in SVG breaks lines: here they are where the remark has them, and
 * where one is too long. They are made safe one by one, as that would show the
 * line's end, too. */
static void put_remark(struct picture *picture, const char *remark)
{
    while (*remark != '\0') {
        struct ent_buf line = {0};
        struct ent_buf safe = {0};
        struct ent_buf wrapped = {0};
        const char *text;

        ent_buf_put_slice(&line, next_line(&remark));
        text = ent_buf_cstr(&line);
        if (text != NULL)
            out_show(&safe, text);
        text = ent_buf_cstr(&safe);
        if (text != NULL)
            out_wrap(&wrapped, text, REMARK_LETTERS);
        text = ent_buf_cstr(&wrapped);
        while (text != NULL && *text != '\0')
            put_small(picture, next_line(&text));
        if (line.rc < 0 || safe.rc < 0 || wrapped.rc < 0)
            picture->buf->rc = ENT_ENOMEM;
        ent_buf_fini(&line);
        ent_buf_fini(&safe);
        ent_buf_fini(&wrapped);
    }
}

static void put_body(struct picture *picture, const char *title, const char *on,
                     const char *remark)
{
    picture->y = MARGIN + LINE_HEIGHT;
    ent_buf_printf(picture->buf,
                   "<text x=\"%d\" y=\"%d\" font-size=\"18\""
                   " font-weight=\"bold\">",
                   MARGIN, picture->y);
    put_text(picture->buf, title);
    ent_buf_put_str(picture->buf, " (");
    put_text(picture->buf, on);
    ent_buf_put_str(picture->buf, ")</text>\n");
    picture->y += ROW_HEIGHT;
    put_legend(picture);
    for (size_t i = 0; i < picture->rows->count; i++)
        if (!report_is_total(picture->rows, i))
            put_row(picture, i);
    put_remark(picture, remark);
    picture->y += MARGIN;
}

void report_put_svg(const struct cmd_ctx *ctx, struct report *report,
                    const struct report_rows *rows,
                    const struct report_chart *chart, const char *on,
                    const char *remark, struct ent_buf *buf)
{
    struct ent_buf body = {0};
    struct picture picture = {
        .ctx = ctx, .rows = rows, .chart = chart, .buf = &body};
    const char *lang = ctx->lang == ENT_LANG_FR ? "fr" : "en";
    const char *title = report_title(ctx, report);

    measure(&picture);
    put_body(&picture, title, on, remark);
    ent_buf_printf(buf,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" lang=\"%s\""
                   " xml:lang=\"%s\" role=\"img\""
                   " aria-labelledby=\"title desc\" width=\"%d\""
                   " height=\"%d\" viewBox=\"0 0 %d %d\""
                   " font-family=\"sans-serif\" font-size=\"14\""
                   " fill=\"#222222\">\n<title id=\"title\">",
                   lang, lang, WIDTH, picture.y, WIDTH, picture.y);
    put_text(buf, title);
    ent_buf_put_str(buf, "</title>\n<desc id=\"desc\">");
    put_text(buf, report_description(ctx, report));
    picture.buf = buf;
    put_words(&picture);
    ent_buf_put_str(buf, "</desc>\n<rect width=\"100%\" height=\"100%\""
                         " fill=\"#ffffff\"/>\n");
    ent_buf_put_slice(buf, ent_buf_slice(&body));
    ent_buf_put_str(buf, "</svg>\n");
    if (body.rc < 0)
        buf->rc = body.rc;
    ent_buf_fini(&body);
}
