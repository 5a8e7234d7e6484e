# The examples plan, with what they make themselves unknown, and apply.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "minimal" {
  command = plan

  module {
    source = "./examples/minimal"
  }

  variables {
    zone_id      = "Z0123456789"
    package_file = "tests/package.txt"
  }
}

run "complete" {
  command = plan

  module {
    source = "./examples/complete"
  }

  variables {
    package_file = "tests/package.txt"
  }

  # example.com comes first and is in Route53: it can be the sender of bounces.
  assert {
    condition     = length(output.dns_records) > 0
    error_message = "no records in the output"
  }
}

run "complete_applied" {
  module {
    source = "./examples/complete"
  }

  variables {
    package_file = "tests/package.txt"
  }

  assert {
    condition = contains(
      [for record in output.dns_records : "${record.type} ${record.name} ${record.values[0]}" if !record.created],
      "CNAME two._domainkey.example.org two.dkim.amazonses.com"
    )
    error_message = "the records of a domain whose DNS is elsewhere are not in the output"
  }
}
