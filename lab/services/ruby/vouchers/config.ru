require_relative 'app'
run Vouchers
