# The lab: a Debian tree with real mail, DNS and IMAP servers, and the tests
# that run in cells on top of it. Included by the top Makefile.

LAB_TREE  ?= build/debian-tree
LAB_TESTS  = $(sort $(wildcard tests/lab/t-*))

lab-tree: $(LAB_TREE)/.stamp

$(LAB_TREE)/.stamp: tests/lab/packages tests/lab/make-tree
	tests/lab/make-tree $(LAB_TREE)

.PHONY: lab-tree
