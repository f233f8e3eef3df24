#!/bin/bash
# What swift-format does not look for.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
complain() {
    echo "lint: $*" >&2
    status=1
}

mapfile -d '' files < <(git ls-files -z --cached --others --exclude-standard -- '*.swift')

# Lines that may trap, with the reason beside each: FILE|TEXT OF THE LINE.
allowed=scripts/lint-allowed.txt

# A trap ends the process on data that a line of text should have answered.
while IFS= read -r hit; do
    [ -n "$hit" ] || continue
    file=${hit%%:*}
    rest=${hit#*:}
    text=$(sed -E 's/^[0-9]+:[[:space:]]*//' <<<"$rest")
    grep -qxF -- "$file|$text" "$allowed" 2>/dev/null || complain "$file:${rest%%:*}: may trap: $text"
done < <(
    awk '
        FNR == 1 { inside = 0 }
        {
            text = $0
            quotes = gsub(/"""/, "", text)
            was = inside
            if (quotes % 2) inside = !inside
            if (was || inside) next
            # Strings without interpolation hold no code.
            gsub(/"[^"\\]*"/, "\"\"", text)
            sub(/^[ \t]*\/\/.*/, "", text)
        }
        text ~ /(^|[^A-Za-z0-9_])(try!|as!|fatalError\(|preconditionFailure\()/ ||
        text ~ /[A-Za-z0-9_)\]]!([].,)( \t[]|$)/ && text !~ /[A-Za-z0-9_)\]]!=/ { print FILENAME ":" FNR ":" $0 }
    ' "${files[@]}"
)

# A test function without @Test silently never runs.
for file in "${files[@]}"; do
    [[ $file == Tests/* ]] || continue
    awk -v file="$file" '
        /@Test/ { seen = 1 }
        /func +test[A-Za-z0-9_]*\(/ { if (!seen) { print file ":" FNR ": a test function without @Test"; bad = 1 } }
        /func / { seen = 0 }
        END { exit bad }' "$file" || status=1
done

for file in "${files[@]}"; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 500 ] || complain "$file: $lines lines; split it (500 at most)"
done

while IFS= read -r file; do
    complain "$file: must not be committed"
done < <(git ls-files | grep -E '(^|/)(\.build[^/]*/|Package\.resolved$|\.env$)' || true)

[ $status -eq 0 ] && echo "lint: ${#files[@]} Swift files are in order"
exit $status
