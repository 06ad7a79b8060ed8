import Base

/// Which JSON Schemas vendors can hold a model to. Source: OpenAI's and Anthropic's references, "Strict tool use".
enum StrictSchema {
    /// What keeps vendors from it, the place in the schema first; nil: nothing. Every object, however deep, names all its
    /// properties as required and allows no others.
    static func problem(_ schema: JSON) -> String? { problem(schema, "") }

    private static func problem(_ schema: JSON, _ path: String) -> String? {
        guard let members = schema.object else { return nil }
        if members["type"] == "object" || members["properties"] != nil {
            let properties = members["properties"]?.object ?? [:]
            let required = Set((members["required"]?.array ?? []).compactMap(\.string))
            if members["additionalProperties"] != .bool(false) {
                return said(path, "needs additionalProperties: false to be strict")
            }
            if let left = properties.keys.sorted().first(where: { !required.contains($0) }) {
                return said(path, "to be strict must have \(left) in required")
            }
        }
        for name in ["properties", "$defs", "definitions"] {
            for (key, inner) in (members[name]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                if let found = problem(inner, "\(path).\(name).\(key)") { return found }
            }
        }
        if let found = members["items"].flatMap({ problem($0, path + ".items") }) { return found }
        for (index, inner) in (members["anyOf"]?.array ?? []).enumerated() {
            if let found = problem(inner, "\(path).anyOf[\(index)]") { return found }
        }
        return nil
    }

    private static func said(_ path: String, _ what: String) -> String {
        path.isEmpty ? what : "\(path.dropFirst()): \(what)"
    }
}
