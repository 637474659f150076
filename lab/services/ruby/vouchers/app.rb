# frozen_string_literal: true

# Vouchers for escape rooms.
require 'json'
require 'logger'
require 'pg'
require 'securerandom'
require 'sinatra/base'
require_relative 'lib/ledger'

$stdout.sync = true
LOGGER = Logger.new($stdout)
LOGGER.formatter = proc { |sev, time, _, msg| "#{sev[0]}, [#{time.strftime('%Y-%m-%dT%H:%M:%S.%6N')} ##{Process.pid}] #{sev.rjust(5)} -- : #{msg}\n" }

class Vouchers < Sinatra::Base
  set :show_exceptions, false
  set :raise_errors, false
  set :dump_errors, false
  set :logging, false

  before do
    @started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    content_type :json
  end

  after do
    next if request.path == '/heartbeat'

    LOGGER.info("[#{request.env['HTTP_X_REQUEST_ID'].to_s[0, 12]}] #{request.request_method} #{request.fullpath} #{response.status} #{((Process.clock_gettime(Process::CLOCK_MONOTONIC) - @started) * 1000).round(1)}ms")
  end

  get('/heartbeat') { '{"alive":true}' }
  get('/rooms') { Ledger.rooms.to_json }

  get '/vouchers/:code' do |code|
    voucher = Ledger.find(code)
    halt 404, { error: 'voucher not found' }.to_json unless voucher
    voucher.to_json
  end

  post '/vouchers' do
    order = JSON.parse(request.body.read)
    status 201
    Ledger.sell(order['room'], order['cents']).to_json
  end

  post '/vouchers/:code/redeem' do |code|
    used = Ledger.redeem(code)
    halt 409, { error: 'voucher was used before' }.to_json unless used
    used.to_json
  end

  error do
    e = env['sinatra.error']
    LOGGER.error("[#{request.env['HTTP_X_REQUEST_ID'].to_s[0, 12]}] #{e.class}: #{e.message.strip}\n#{e.backtrace.grep(%r{/srv/}).first(6).map { |l| "    from #{l}" }.join("\n")}")
    { error: 'we are sorry' }.to_json
  end
end
