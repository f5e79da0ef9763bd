"""Small sources of every language, as people write them."""

from devtune.data.code.module import Function, Module
from devtune.data.code.syntax import parse

PYTHON = '''\
#!/usr/bin/env python
# Licence of the file.
import os.path as p, sys
from a.b import c as d, e
from . import x


# What follows is
# about prices.
class Preis(Base):
    """A price in €."""

    @property
    def betrag(self, *args, k: int = 1, **kw) -> int:  # why
        """Say how much.

            Deeper.
        And back.
        """

        text = """
    kept
  as it is"""
        # Once only.
        return self.load(text).go(p.ü(1))

    def one(self): return 1

    def protocol(self):
        """Nothing but documentation."""


def test_betrag():
    def inner():
        pass
    assert inner()
'''
JAVASCRIPT = """\
import React, { useState as us } from 'react';
const { q, r: s } = require('../lib/x');
const notAnImport = prepare('y');
/** Adds. */
export const add = (a, { b }, ...c) => a + b;
exports.foo = function (a) { return a; };
const api = {
  get(u) {
    return <Page url={u}><b>x</b></Page>;
  },
};
class Cart {
  // eslint-disable-next-line
  static total = async (items) => {
    return new Sum(items).of(`
  kept`);
  };
}
describe('Cart', () => {
  function make() {
    return 1;
  }
  it('adds items', async () => {
    expect(make()).toBe(1);
  });
});
"""
TYPESCRIPT = """\
import type { X } from "./x";
import fs = require("fs");
export { a } from './b';
namespace N {
  /** Loads. */
  @Injectable()
  export abstract class C<T> extends D {
    @Input()
    async load(this: C, id?: string): Promise<T> {
      return new Foo(id).bar();
    }
    abstract none(): void;
  }
  interface I { a(): void }
}
"""
JAVA = '''\
import java.util.List;
import x.*;
/** A cart. */
public class Cart<T> extends Base {
    // Not documentation.
    int count() { return items.size(); }
    /**
     * Adds up.
     */
    @Test
    public int total(final int a, String... rest) {
        String s = """
            kept
            """;
        return new Sum<T>(a).of(s);
    }
    abstract void none();
}
'''
GO = """\
package main
import (
\tm "math"
)
// Server serves.
type Server struct { a int }

// Run runs.
//
//\tdeeper
//go:noinline
func (s *Server[T]) Run(a, b int, rest ...string) error {
\tx := `kept
  as it is`
\treturn m.Floor(x)
}
func TestRun(t *testing.T) {
\tRun()
}
func Testify() { }
"""
RUST = """\
//! About the crate.
use std::io::{self, Read, fmt::{Display as D}};
use a::b;
mod inner {
    impl<T: X> Tr for S<T> {
        /// Runs it.
        #[inline]
        pub fn run(&mut self, a: &str, mut z: u8) -> Result<()> {
            let s = "a
  kept";
            A::baz(s); vec![q(1)]
        }
    }
    #[cfg(test)]
    mod tests {
        #[tokio::test]
        async fn works() {
            assert_eq!(1, add(1));
        }
    }
}
"""
C = """\
#include <stdio.h>
#include "a/b.h"
/* A point. */
struct point { int x; };
typedef struct { int a; } pair_t;
int declared(int a);
/*
 * Finds it.
 */
static char *find(const char *text, int (*match)(int), int all[])
{
    return lookup(text)->next(all);
}
"""
CPP = """\
#include <vector>
namespace a::b {
// Holds.
template <typename T>
class Holder : public Base {
 public:
  explicit Holder(int a) : a_(a) {}
  int get(const std::string& s) const override { return ns::go<int>(s); }
  Holder() = default;
};
}
template <class T>
T *a::Holder<T>::find(int a, ...) {
  auto s = R"(x
  kept)";
  return new Foo(1);
}
TEST(Holder, Finds) {
  EXPECT_EQ(1, find(1));
}
"""
CSHARP = """\
using System;
using Short = A.B.C;
namespace A.B;
/// <summary>A cart.</summary>
public class Cart<T> : Base
{
    /// Adds up.
    [Fact]
    public async Task<int> Total(int a, params string[] rest)
    {
        var x = @"a
  kept";
        return await this.Go<int>(new Sum(x));
    }
    int Twice(int x) => x + x;
    abstract void None();
}
"""
RUBY = """\
# frozen_string_literal: true
require 'json'
puts 'json'
module Shop
  # A cart.
  class Cart < Base
    # Adds up.
    # Twice.
    def total(a, b = 1, *c, d:, **f, &g)
      x = <<~TXT
        kept
      TXT
      Sum.new(x).of(a)
    end
    private def secret(x) = x + 1
    def empty; end
  end
end
RSpec.describe Cart do
  it "adds up" do
    expect(total).to eq(1)
  end
end
"""
PHP = """\
<?php
namespace App\\Models;
use A\\B\\C;
use A\\{D, E as F};
require_once 'x.php';
/** A cart. */
abstract class Cart extends Base
{
    /**
     * Adds up.
     */
    #[Test]
    public function total(int $a, ?string $b = null, ...$c): ?int
    {
        $x = "a
  kept";
        return $this->sum($x) + strlen(new Text($b));
    }
    abstract public function none();
}
it('adds up', function () {
    expect(1);
});
"""
SOURCES = {
    "python": PYTHON,
    "javascript": JAVASCRIPT,
    "jsx": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "tsx": TYPESCRIPT,
    "java": JAVA,
    "go": GO,
    "rust": RUST,
    "c": C,
    "cpp": CPP,
    "csharp": CSHARP,
    "ruby": RUBY,
    "php": PHP,
}
LANGUAGES = [each for each in SOURCES if each not in ("jsx", "tsx")]
"""Without those that share a source."""


def parsed(language: str) -> Module:
    module = parse(SOURCES[language], language)
    assert module is not None
    return module


def function_of(language: str, name: str) -> Function:
    return next(each for each in parsed(language).functions if each.name == name)
