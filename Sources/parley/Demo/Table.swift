/// A table for a terminal: columns as wide as their longest cell, numbers to the right.
struct Table {
    var header: [String]
    var rows: [[String]] = []
    /// Columns aligned to the right, by index.
    var numeric: Set<Int> = []

    func rendered(indent: Int = 2) -> String {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return numeric.contains(column) ? padding + cell : cell + padding
            }
            return String(repeating: " ", count: indent) + padded.joined(separator: "  ")
        }
        let rule =
            String(repeating: " ", count: indent)
            + widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }
}
