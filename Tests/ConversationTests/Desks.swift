import Agents

/// Agents that the tests talk to.
enum Desks {
    /// Books an appointment: name, day, phone number, confirmation, a tool.
    static let appointments = """
        {"flow": {"start": "name", "variables": {"clinic": "Elm Street"}, "nodes": [
          {"id": "name", "say": "Welcome to {{clinic}}. What is your name?",
           "expect": {"kind": "name", "known": ["ann lee", "bob stone"]}, "save": "name",
           "edges": [{"when": "matched", "to": "day"}]},
          {"id": "day", "say": "Hello {{name}}. Which day suits you?", "expect": "date", "save": "day",
           "edges": [{"when": "matched", "to": "phone"}]},
          {"id": "phone", "say": "What is your phone number?", "expect": "phone", "save": "phone",
           "reprompt": "Please tell me your phone number.", "edges": [{"when": "matched", "to": "confirm"}]},
          {"id": "confirm", "say": "So {{day}}, and your number is {{phone}}. Is that right?", "expect": "yes_no",
           "edges": [{"when": {"equals": "yes"}, "to": "book"}, {"when": {"equals": "no"}, "to": "phone"}]},
          {"id": "book", "tool": {"name": "book", "arguments": {"name": "{{name}}", "day": "{{day}}",
            "phone": "{{phone}}"}, "save": {"slot": "slot"}},
           "edges": [{"when": "tool_succeeded", "to": "done"}, {"when": "tool_failed", "to": "sorry"}]},
          {"id": "done", "say": "You are booked for {{slot}}. Goodbye.", "end": true},
          {"id": "sorry", "say": "I could not book that. Goodbye.", "end": true}]},
         "tools": [{"name": "book", "url": "https://example.com/book", "filler": "One moment please.",
           "filler_after_ms": 600}]}
        """

    /// Keys only.
    static let menu = """
        {"flow": {"start": "menu", "nodes": [
          {"id": "menu", "say": "For opening hours press one. To enter your order number press two.",
           "expect": "open", "edges": [{"when": {"digits": "1"}, "to": "hours"}, {"when": {"digits": "2"}, "to": "order"}]},
          {"id": "hours", "say": "We are open from nine to five.", "edges": [{"when": "always", "to": "menu"}]},
          {"id": "order", "say": "Please enter your order number, then hash.",
           "expect": {"kind": "digits", "min": 4, "max": 8}, "save": "order", "recording": "pause",
           "edges": [{"when": "matched", "to": "thanks"}]},
          {"id": "thanks", "say": "Order {{order}} is on its way. Goodbye.", "end": true}]}}
        """

    /// A number of variable length, then a question.
    static let orders = """
        {"flow": {"start": "order", "nodes": [
          {"id": "order", "say": "What is your order number?", "expect": {"kind": "digits", "min": 4, "max": 8},
           "save": "order", "edges": [{"when": "matched", "to": "more"}]},
          {"id": "more", "say": "Order {{order}}. Is there anything else?", "expect": "yes_no",
           "edges": [{"when": {"equals": "yes"}, "to": "order"}, {"when": {"equals": "no"}, "to": "bye"}]},
          {"id": "bye", "say": "Goodbye.", "end": true}]}}
        """

    /// A line that must be heard, then a question.
    static let notice = """
        {"flow": {"start": "notice", "nodes": [
          {"id": "notice", "say": "This call is recorded for training.", "uninterruptible": true,
           "edges": [{"when": "always", "to": "ask"}]},
          {"id": "ask", "say": "Do you agree?", "expect": "yes_no", "edges": [{"when": "matched", "to": "bye"}]},
          {"id": "bye", "say": "Goodbye.", "end": true}]}}
        """

    /// A model with a tool that only reads, and one that does not.
    static let reader = """
        {"prompt": {"system": "You are the desk.", "model": "m", "first_line": "Hello, how can I help?"},
         "tools": [{"name": "weather", "url": "https://example.com/weather", "read_only": true, "filler": "Let me look."},
           {"name": "book", "url": "https://example.com/book"}]}
        """

    /// A model with one tool.
    static let prompt = """
        {"prompt": {"system": "You are the desk of {{clinic}}.", "model": "m", "first_line": "Hello, how can I help?"},
         "tools": [{"name": "weather", "url": "https://example.com/weather", "filler": "Let me look."}]}
        """
}
